package template

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// corsEffects are the members of Cors of an AWS::Serverless::Api.
// See https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-corsconfiguration.html.
var corsEffects = effects{
	"AllowCredentials": emulated, "AllowHeaders": emulated, "AllowMethods": emulated, "AllowOrigin": emulated, "MaxAge": emulated,
}

// cors reads Cors: a mapping, or the allowed origin. Nil means that the API answers no preflight requests itself.
func (r *resolution) cors(o object) *spec.CORS {
	n := o.members["Cors"]
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return &spec.CORS{AllowOrigin: o.quoted("Cors")}
	}
	c, ok := o.object("Cors", corsEffects)
	if !ok {
		return nil
	}
	cors := &spec.CORS{
		AllowOrigin: c.quoted("AllowOrigin"), AllowMethods: c.quoted("AllowMethods"), AllowHeaders: c.quoted("AllowHeaders"),
		MaxAge: c.quoted("MaxAge"), AllowCredentials: c.boolean("AllowCredentials", false),
	}
	if c.members["AllowOrigin"] == nil {
		cors.AllowOrigin = "*"
	}
	if cors.AllowCredentials && cors.AllowOrigin == "*" {
		c.add(c.lineOf("AllowCredentials"), "property Cors.AllowCredentials is true, which SAM takes only with an AllowOrigin other than '*'")
	}
	return cors
}

// quoted reads a text in single quotes, as API Gateway takes literals. "" means that it is not given.
func (o object) quoted(name string) string {
	value := o.text(name)
	if value == "" {
		return ""
	}
	if len(value) < 2 || !strings.HasPrefix(value, "'") || !strings.HasSuffix(value, "'") {
		o.add(o.lineOf(name), `property %s%s is %q; API Gateway takes a text in single quotes, such as "'%s'"`, o.path, name, value, strings.Trim(value, "'"))
		return ""
	}
	return value[1 : len(value)-1]
}

// binaryTypes reads BinaryMediaTypes, in which SAM writes ~1 for a slash.
func (o object) binaryTypes() []string {
	types := o.texts("BinaryMediaTypes")
	for i, name := range types {
		types[i] = strings.ReplaceAll(name, "~1", "/")
		if !strings.Contains(types[i], "/") {
			o.add(o.lineOf("BinaryMediaTypes"), "property BinaryMediaTypes has %q, which is not a media type such as image~1png", name)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}
