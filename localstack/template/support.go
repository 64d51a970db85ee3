package template

import (
	"maps"
	"slices"
	"strings"
)

// This file is the table of supported resources and properties. Everything else is refused.

// effect is the local effect of a property.
type effect struct {
	kind effectKind
	// note tells the user that a property has no effect; "" if nobody would miss it.
	note string
	// of is the resource of SAM's making that the property belongs to; "" is the resource itself.
	of part
}

// effects are by property; "*" stands for all others.
type effects map[string]effect

type effectKind int

const (
	isEmulated effectKind = iota + 1
	hasNoEffect
	// isDeferred is emulated; its reader evaluates the parts itself.
	isDeferred
)

// resourceType is a row of the table.
type resourceType struct {
	build      func(*resolution, *resource, object) // nil for types without effect
	properties effects                              // nil for types without effect: all are accepted
	note       string                               // of types without effect
	// nameProperty is the property that sets the physical name, the value of Ref; "" if there is none.
	nameProperty string
}

var (
	emulated = effect{kind: isEmulated}
	deferred = effect{kind: isDeferred}
	silent   = effect{kind: hasNoEffect}
)

func noted(note string) effect { return effect{kind: hasNoEffect, note: note} }

func (e effect) in(of part) effect {
	e.of = of
	return e
}

const (
	notePermissions = "permissions are not checked"
	noteTracing     = "traces are not sent to X-Ray"
	noteLogs        = "logs go to the terminal, not to CloudWatch"
	noteNetwork     = "functions run in this machine's network"
	noteCallers     = "callers of the API are not authenticated"
	noteThrottling  = "requests are not throttled"
	noteEncryption  = "data is not encrypted with KMS"
	noteAsync       = "settings of asynchronous invocations have no effect"
	noteVersions    = "functions have no versions and aliases"
)

// resourceTypes has the types by name, and prefixes of whole services.
var resourceTypes map[string]*resourceType

var prefixes = []struct {
	prefix string
	*resourceType
}{
	{"AWS::IAM::", &resourceType{note: notePermissions}},
	{"AWS::KMS::", &resourceType{note: noteEncryption}},
	{"AWS::Logs::", &resourceType{note: noteLogs}},
	{"AWS::CloudWatch::", &resourceType{note: "alarms and dashboards do not exist"}},
	{"AWS::SSM::", &resourceType{note: "Systems Manager does not exist"}},
	{"AWS::SecretsManager::", &resourceType{note: "Secrets Manager is not emulated"}},
	{"AWS::SNS::Topic", &resourceType{note: "nothing is published to SNS"}},
}

func init() { // a variable's initializer would refer to itself through the builders
	customResource := &resourceType{build: (*resolution).buildCustomResource, properties: effects{"*": emulated}}
	resourceTypes = map[string]*resourceType{
		"AWS::CloudFormation::CustomResource":      customResource,
		"Custom::":                                 customResource,
		"AWS::CloudFormation::WaitConditionHandle": {},
		"AWS::Lambda::EventSourceMapping":          {build: (*resolution).buildMappingResource, properties: mappingResourceEffects},
		"AWS::Lambda::EventInvokeConfig":           {note: noteAsync},
		"AWS::Lambda::Permission":                  {note: notePermissions},
		"AWS::SQS::Queue":                          {build: (*resolution).buildQueue, properties: queueEffects, nameProperty: "QueueName"},
		"AWS::SQS::QueuePolicy":                    {note: notePermissions},
		"AWS::Serverless::Api":                     {build: (*resolution).buildAPI, properties: apiEffects},
		"AWS::Serverless::HttpApi":                 {build: (*resolution).buildHTTPAPI, properties: httpAPIEffects},
		"AWS::Serverless::Function":                {build: (*resolution).buildFunction, properties: functionEffects, nameProperty: "FunctionName"},
		"AWS::ApiGateway::Account":                 {note: noteLogs},
		"AWS::ApiGateway::ApiKey":                  {note: noteCallers},
		"AWS::ApiGateway::GatewayResponse":         {build: (*resolution).buildGatewayResponse, properties: gatewayResponseEffects},
		"AWS::ApiGateway::UsagePlan":               {note: noteThrottling},
		"AWS::ApiGateway::UsagePlanKey":            {note: noteCallers},
		"AWS::WAFv2::WebACL":                       {note: noteCallers},
		"AWS::WAFv2::WebACLAssociation":            {note: noteCallers},
	}
}

// typeOf returns the row of a resource type, nil if the type is refused.
func typeOf(name string) *resourceType {
	if strings.HasPrefix(name, "Custom::") {
		name = "Custom::"
	}
	if row := resourceTypes[name]; row != nil {
		return row
	}
	for _, row := range prefixes {
		if strings.HasPrefix(name, row.prefix) {
			return row.resourceType
		}
	}
	return nil
}

// supportedTypes returns the types with an effect.
func supportedTypes() []string {
	var names []string
	for name, row := range resourceTypes {
		if row.build != nil {
			names = append(names, strings.Replace(name, "Custom::", "Custom::*", 1))
		}
	}
	slices.Sort(names)
	return names
}

var functionEffects = effects{
	"Architectures":                emulated, // checked; functions are built for this machine's processor
	"CodeUri":                      emulated,
	"Environment":                  emulated,
	"Events":                       deferred,
	"FunctionName":                 emulated,
	"Handler":                      emulated,
	"MemorySize":                   emulated,
	"PackageType":                  emulated, // Zip
	"ReservedConcurrentExecutions": emulated,
	"Runtime":                      emulated,
	"Timeout":                      emulated,

	"AssumeRolePolicyDocument":      noted(notePermissions).in(partRole),
	"AutoPublishAlias":              noted(noteVersions).in(partAlias),
	"AutoPublishAliasAllProperties": noted(noteVersions),
	"AutoPublishCodeSha256":         noted(noteVersions),
	"CodeSigningConfigArn":          noted("code is not signed"),
	"DeadLetterQueue":               noted(noteAsync),
	"DeploymentPreference":          noted(noteVersions).in(partGroup),
	"Description":                   silent,
	"EphemeralStorage":              noted("/tmp is this machine's"),
	"EventInvokeConfig":             noted(noteAsync).in(partInvoke),
	"KmsKeyArn":                     noted(noteEncryption),
	"LoggingConfig":                 noted(noteLogs),
	"PermissionsBoundary":           noted(notePermissions).in(partRole),
	"Policies":                      noted(notePermissions).in(partRole),
	"PropagateTags":                 silent,
	"ProvisionedConcurrencyConfig":  noted("provisioned concurrency has no effect").in(partAlias),
	"RecursiveLoop":                 noted("recursive loops are not detected"),
	"Role":                          noted(notePermissions),
	"RolePath":                      noted(notePermissions),
	"RuntimeManagementConfig":       silent,
	"SnapStart":                     silent,
	"Tags":                          silent,
	"Tracing":                       noted(noteTracing),
	"VersionDescription":            noted(noteVersions).in(partAlias),
	"VpcConfig":                     noted(noteNetwork),
}

var apiEffects = effects{
	"BinaryMediaTypes": emulated,
	"Cors":             emulated,
	"DefinitionBody":   emulated,
	"GatewayResponses": emulated,
	"StageName":        emulated,

	"AccessLogSetting":          noted("the API writes no access log").in(partStage),
	"AlwaysDeploy":              silent,
	"ApiKeySourceType":          noted(noteCallers),
	"Auth":                      noted(noteCallers),
	"CacheClusterEnabled":       noted("the API has no cache").in(partStage),
	"CacheClusterSize":          noted("the API has no cache").in(partStage),
	"Description":               silent,
	"DisableExecuteApiEndpoint": silent,
	"Domain":                    noted("the API has no domain name of its own").in(partStage),
	"EndpointConfiguration":     silent,
	"FailOnWarnings":            silent,
	"MethodSettings":            noted(noteThrottling).in(partStage),
	"MinimumCompressionSize":    noted("answers are not compressed"),
	"Mode":                      silent,
	"Name":                      silent,
	"OpenApiVersion":            silent,
	"PropagateTags":             silent,
	"Tags":                      silent,
	"TracingEnabled":            noted(noteTracing).in(partStage),
}

var gatewayResponseEffects = effects{
	"ResponseParameters": emulated, "ResponseTemplates": emulated, "ResponseType": emulated, "RestApiId": emulated,
	"StatusCode": emulated,
}

var queueEffects = effects{
	"DelaySeconds":                  emulated,
	"FifoQueue":                     emulated, // false
	"MaximumMessageSize":            emulated,
	"MessageRetentionPeriod":        emulated,
	"QueueName":                     emulated,
	"ReceiveMessageWaitTimeSeconds": emulated,
	"RedrivePolicy":                 emulated,
	"VisibilityTimeout":             emulated,

	"KmsDataKeyReusePeriodSeconds": noted(noteEncryption),
	"KmsMasterKeyId":               noted(noteEncryption),
	"RedriveAllowPolicy":           noted(notePermissions),
	"SqsManagedSseEnabled":         silent,
	"Tags":                         silent,
}

var mappingEffects = effects{
	"BatchSize":                      emulated,
	"Enabled":                        emulated,
	"FunctionResponseTypes":          emulated,
	"MaximumBatchingWindowInSeconds": emulated,
	"ScalingConfig":                  emulated,

	"KmsKeyArn":     noted(noteEncryption),
	"MetricsConfig": silent,
	"Tags":          silent,
}

var mappingResourceEffects = with(mappingEffects, effects{"EventSourceArn": emulated, "FunctionName": emulated})

// Members of properties that are mappings.
var (
	environmentEffects = effects{"Variables": emulated}
	scalingEffects     = effects{"MaximumConcurrency": emulated}
	redriveEffects     = effects{"deadLetterTargetArn": emulated, "maxReceiveCount": emulated}
)

// eventEffects are the kinds of events of a function and their properties.
var eventEffects = map[string]effects{
	"Api": {"Auth": noted(noteCallers), "Method": emulated, "Path": emulated, "RestApiId": emulated},
	"HttpApi": {
		"ApiId": emulated, "Auth": noted(noteCallers), "Method": emulated, "Path": emulated, "PayloadFormatVersion": emulated,
		"RouteSettings": noted(noteThrottling),
	},
	"SQS": with(mappingEffects, effects{"Queue": emulated}),
	"Schedule": {
		"DeadLetterConfig": noted(noteAsync),
		"Description":      silent,
		"Enabled":          emulated,
		"Input":            emulated,
		"Name":             silent,
		"RetryPolicy":      noted(noteAsync),
		"RoleArn":          noted(notePermissions),
		"Schedule":         emulated,
		"State":            emulated,
	},
}

func with(base, more effects) effects {
	all := maps.Clone(base)
	maps.Copy(all, more)
	return all
}

// supported lists the accepted names.
func (e effects) supported() string { return list(slices.Sorted(maps.Keys(e))) }
