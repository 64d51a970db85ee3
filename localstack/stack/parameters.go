package stack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/eragon-mdi/ksu/localstack/spec"
)

// overrideParameters reads a value of --parameter-overrides. Later ones take precedence, parameter by parameter.
func (o *Options) overrideParameters(text string) error {
	read := parseParameters
	if path, isFile := strings.CutPrefix(text, "file://"); isFile {
		text, read = path, readParameters
	}
	parameters, err := read(text)
	maps.Copy(o.Parameters, parameters)
	return err
}

// parseParameters reads SAM's "Name=value Name=value". A value with spaces needs double quotes, in which a backslash
// escapes the next character. The long form ParameterKey=…,ParameterValue=… works too.
func parseParameters(text string) (map[string]spec.Value, error) {
	words, err := splitWords(text)
	if err != nil {
		return nil, err
	}
	parameters := map[string]spec.Value{}
	for _, word := range words {
		if rest, long := strings.CutPrefix(word, "ParameterKey="); long {
			word = strings.Replace(rest, ",ParameterValue=", "=", 1)
		}
		name, value, ok := strings.Cut(word, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%q must have the form Name=value", word)
		}
		if _, twice := parameters[name]; twice {
			return nil, fmt.Errorf("duplicate parameter %s", name)
		}
		parameters[name] = spec.Value{Text: value, Source: "--parameter-overrides"}
	}
	return parameters, nil
}

// splitWords splits at spaces outside double quotes.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, quoted := false, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted && i+1 < len(text):
			i++
			word.WriteByte(text[i])
		case c == '"':
			quoted, inWord = !quoted, true
		case !quoted && (c == ' ' || c == '\t' || c == '\n'):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if quoted {
		return nil, errors.New("unclosed double quote")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// readParameters reads a file of parameters in the SAM CLI's form: a YAML or JSON mapping of names to values. A list of
// scalars becomes a CommaDelimitedList. Errors show no values, which may be passwords.
func readParameters(path string) (map[string]spec.Value, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read parameters: %w", err)
	}
	return decodeParameters(path, content)
}

func decodeParameters(path string, content []byte) (map[string]spec.Value, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, fmt.Errorf("%s is neither YAML nor JSON", path) // the error could show a value
	}
	parameters := map[string]spec.Value{}
	if len(document.Content) == 0 {
		return parameters, nil
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: the file is not a mapping of parameters to values", path, root.Line)
	}
	for i := 0; i < len(root.Content); i += 2 {
		name, value := root.Content[i], root.Content[i+1]
		text, ok := scalars(value)
		if !ok {
			return nil, fmt.Errorf("%s:%d: the value of %s is neither a scalar nor a list of scalars", path, name.Line, name.Value)
		}
		if _, twice := parameters[name.Value]; twice {
			return nil, fmt.Errorf("%s:%d: duplicate parameter %s", path, name.Line, name.Value)
		}
		parameters[name.Value] = spec.Value{Text: text, Source: origin(path, name, value)}
	}
	return parameters, nil
}

// scalars returns the text of a scalar, or of a list of scalars.
func scalars(n *yaml.Node) (text string, ok bool) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.ShortTag() == "!!null" {
			return "", true
		}
		return n.Value, true
	case yaml.SequenceNode:
		var items []string
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return "", false
			}
			items = append(items, item.Value)
		}
		return strings.Join(items, ","), true
	}
	return "", false
}

// origin returns the source of a parameter's value: the comment at the end of its line, such as "# settings.yaml:8", else
// file and line. A program that generates the file names its own source by the comment.
func origin(path string, name, value *yaml.Node) string {
	if from := strings.TrimSpace(strings.TrimPrefix(value.LineComment, "#")); from != "" {
		return from
	}
	return fmt.Sprintf("%s:%d", path, name.Line)
}

// readVariables reads a value of --env-vars, the path of a JSON file.
func (o *Options) readVariables(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read variables: %w", err)
	}
	o.Variables, err = decodeVariables(path, content)
	return err
}

func decodeVariables(path string, content []byte) (map[string]map[string]string, error) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	var decoded map[string]map[string]any
	if err := decoder.Decode(&decoded); err != nil || decoder.More() {
		return nil, fmt.Errorf("%s is not a JSON object of objects", path) // the error could show a value
	}
	variables := map[string]map[string]string{}
	for function, values := range decoded {
		variables[function] = map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			switch value := values[name].(type) {
			case string, json.Number, bool:
				variables[function][name] = fmt.Sprint(value)
			default:
				return nil, fmt.Errorf("%s: %s.%s is not a string, a number or a boolean", path, function, name)
			}
		}
	}
	return variables, nil
}
