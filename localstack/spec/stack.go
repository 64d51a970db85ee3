// Package spec is the plan: what a template asks the local stack to run, as values. Package template makes them, and
// each emulator takes its own part unchanged. Functions are referenced by name.
package spec

import "time"

// Stack is a resolved template. Slices are in the template's order, CustomResources in the order of their dependencies.
type Stack struct {
	// Name is AWS::StackName, the prefix of the names of functions, queues and rules.
	Name string
	// ID is AWS::StackId, an ARN.
	ID              string
	Functions       []Function
	API             *API     // nil if no function has an Api event
	HTTPAPI         *HTTPAPI // nil if no function has an HttpApi event; a stack has one API at most
	Queues          []Queue
	Mappings        []Mapping
	Schedules       []Schedule
	CustomResources []CustomResource
	// Warnings has a line for each advice to the template's author.
	Warnings []string
	// NotEmulated has a line for each setting of the template without local effect.
	NotEmulated []string
}

// Function is an AWS::Serverless::Function.
type Function struct {
	LogicalID string
	// Name is FunctionName, or {StackName}-{LogicalID}, to which CloudFormation would add random characters.
	Name string
	ARN  string
	// Source is CodeUri as an absolute path: a folder, or a zip file.
	Source string
	// BuildMethod is how the binary is found: go1.x compiles Source, makefile runs its Makefile, prebuilt takes it as it is.
	BuildMethod string
	// Bootstrap is the path of the binary in built code, with slashes: bootstrap, or the Handler of a retired runtime.
	Bootstrap string
	Handler   string
	// Runtime is provided.al2023 or provided.al2. Functions of a retired runtime get provided.al2023.
	Runtime string
	// Timeout is 1 to 900 s; default 3 s.
	Timeout time.Duration
	// MemorySize is in MB, 128 to 10240; default 128.
	MemorySize int
	// ReservedConcurrency is the maximum of concurrent invocations; nil means no limit, 0 refuses all.
	ReservedConcurrency *int
	Environment         map[string]string
}

// API is an AWS::Serverless::Api, or the implicit ServerlessRestApi.
type API struct {
	LogicalID string
	// ID is the value of Ref: ten characters, the same for the same stack and resource.
	ID        string
	StageName string
	Routes    []Route
	// GatewayResponses are the API's own error answers, by response type, such as DEFAULT_4XX.
	GatewayResponses map[string]GatewayResponse
	// CORS is how the API answers OPTIONS on paths without such a route; nil for 403.
	CORS *CORS
	// BinaryMediaTypes are media types whose bodies are base64 in events and answers, such as image/png or */*.
	BinaryMediaTypes []string
}

// HTTPAPI is an AWS::Serverless::HttpApi, or the implicit ServerlessHttpApi.
type HTTPAPI struct {
	LogicalID string
	// ID is the value of Ref.
	ID string
	// StageName is $default if the template names no stage.
	StageName string
	Routes    []HTTPRoute
	CORS      *HTTPCORS // nil without CorsConfiguration
}

// HTTPRoute sends a method and path to a function. Without a path, it is the route $default.
type HTTPRoute struct {
	Route
	// PayloadFormat is 1.0 or 2.0; default 2.0.
	PayloadFormat string
}

// HTTPCORS is CorsConfiguration of an AWS::Serverless::HttpApi.
type HTTPCORS struct {
	AllowOrigins, AllowMethods, AllowHeaders, ExposeHeaders []string
	// MaxAge is in seconds; nil for no such header.
	MaxAge           *int
	AllowCredentials bool
}

// CORS is Cors of an AWS::Serverless::Api: values of the headers Access-Control-…, without the template's single quotes.
type CORS struct {
	AllowOrigin string
	// AllowMethods is "" for the methods that the path has.
	AllowMethods string
	// AllowHeaders and MaxAge (seconds) are "" for no such header.
	AllowHeaders, MaxAge string
	AllowCredentials     bool
}

// Route sends a method and path to a function.
type Route struct {
	// Method is in capitals; ANY matches every method.
	Method string
	// Path is a template: /item/{id}, or /{proxy+}.
	Path string
	// Function is the name of the function.
	Function string
}

// GatewayResponse is an error answer of the API itself.
type GatewayResponse struct {
	// StatusCode replaces the response type's own status; 0 keeps it.
	StatusCode int
	// Headers are mapping expressions by header name: 'a literal', context.… or method.request.….
	Headers map[string]string
	// Templates are bodies by content type, with $context variables; nil is {"message":$context.error.messageString}.
	Templates map[string]string
}

// Queue is a standard AWS::SQS::Queue.
type Queue struct {
	LogicalID string
	// Name is QueueName, or {StackName}-{LogicalID}, to which CloudFormation would add random characters.
	Name string
	ARN  string
	// URL is {Endpoint}/{AccountID}/{Name}.
	URL string
	// VisibilityTimeout is 0 to 12 h; default 30 s.
	VisibilityTimeout time.Duration
	// Delay is 0 to 15 min; default 0.
	Delay time.Duration
	// ReceiveWait is 0 to 20 s; default 0.
	ReceiveWait time.Duration
	// Retention is 1 min to 14 days; default 4 days.
	Retention time.Duration
	// MaximumMessageSize is in bytes, 1 KiB to 1 MiB; default 1 MiB.
	MaximumMessageSize int
	// Redrive moves messages to a dead letter queue after too many receives; nil for a queue without one.
	Redrive *Redrive
}

// Redrive moves a message to a dead letter queue of the same stack.
type Redrive struct {
	// DeadLetterARN is the ARN of the dead letter queue. If that queue does not exist, messages stay where they are.
	DeadLetterARN string
	// MaxReceiveCount is how often a message is received before it moves, 1 to 1000.
	MaxReceiveCount int
}

// Mapping is an SQS event of a function, or an AWS::Lambda::EventSourceMapping.
type Mapping struct {
	// LogicalID is the resource's; for an event, function and event joined, as in SAM.
	LogicalID string
	// Queue is the name of the queue and QueueARN its ARN.
	Queue, QueueARN string
	// Function is the name of the function.
	Function string
	// BatchSize is 1 to 10000, above 10 only with a BatchingWindow; default 10.
	BatchSize int
	// BatchingWindow is 0 to 300 s; default 0.
	BatchingWindow time.Duration
	// MaximumConcurrency is 2 to 1000, or 0 for unlimited.
	MaximumConcurrency int
	// ReportBatchItemFailures means that the function's answer names the failed messages.
	ReportBatchItemFailures bool
	Enabled                 bool
}

// Schedule is a Schedule event of a function.
type Schedule struct {
	// LogicalID is function and event joined, as in SAM.
	LogicalID string
	// Name is the rule's: {StackName}-{LogicalID}, to which CloudFormation would add random characters.
	Name string
	// Function is the name of the function.
	Function string
	// Expression is the rate(…) of the template, and Every its period.
	Expression string
	Every      time.Duration
	// Input is the event's JSON; "" means EventBridge's own event.
	Input   string
	Enabled bool
}

// CustomResource is an AWS::CloudFormation::CustomResource or a Custom::….
type CustomResource struct {
	LogicalID string
	Type      string
	// Function is the name of the function behind ServiceToken.
	Function string
	// MayFail, from the resource's Metadata.Local, means that a failure is reported and does not end the start.
	MayFail bool
	// Properties are the template's, including ServiceToken. Scalars are strings, as in CloudFormation.
	Properties map[string]any
}

// Provide requests a backing service: an entry of the template's Metadata.Local.Provide.
type Provide struct {
	// Service is the name of the service, a key of Services.
	Service string
	// Optional services are off unless the user names a server or requests one.
	Optional bool
	// Parameters are values of the service by the template parameter that gets them, such as Database: Url.
	Parameters map[string]string
	// Else are parameter values that replace the service. ${Data} in them is the data folder. Nil means that the
	// template requires the service, unless it is Optional.
	Else map[string]string
	// Place is file:line of the entry, for errors.
	Place string
}

// Address returns the parameter that gets the address of the service. A user who sets it names a server.
func (p Provide) Address() string {
	for _, value := range []string{"Url", "Address", "Host"} {
		for parameter, name := range p.Parameters {
			if name == value {
				return parameter
			}
		}
	}
	return ""
}

// Services has the values that each backing service offers. Url, Address and Host say where it is.
var Services = map[string][]string{
	"clickhouse": {"Address", "Username", "Password", "Database", "Secure"},
	"postgres":   {"Url", "Host", "Port", "Username", "Password", "Database"},
}

// Value is a user's value and its source, such as settings.yaml:8.
type Value struct{ Text, Source string }
