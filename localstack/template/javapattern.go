package template

import (
	"fmt"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// AllowedPattern is a regular expression of Java. The engine speaks .NET's language, which has look-around as Java does.
// Where the two differ, the pattern is rewritten: possessive quantifiers, \Q…\E, \h, \R, the POSIX classes, and the classes
// that are of ASCII in Java only.
// See https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/regex/Pattern.html.

// patternTimeout ends a match that backtracks without end.
const patternTimeout = time.Second

// javaPattern is a pattern for a whole value.
type javaPattern struct {
	text string
	*regexp2.Regexp
}

// compileJava reads a pattern. The error says what the engine does not take.
func compileJava(text string) (*javaPattern, error) {
	rewritten, err := (&javaReader{in: []rune(text)}).read()
	if err != nil {
		return nil, fmt.Errorf("pattern %s: %w", text, err)
	}
	compiled, err := regexp2.Compile(`\A(?:`+rewritten+`)\z`, regexp2.None)
	if err != nil {
		return nil, fmt.Errorf("pattern %s: %w", text, err)
	}
	compiled.MatchTimeout = patternTimeout
	return &javaPattern{text, compiled}, nil
}

// matches reports whether the pattern matches all of value. The error is a match that takes too long.
func (p *javaPattern) matches(value string) (bool, error) { return p.MatchString(value) }

// Contents of classes, without their brackets.
var (
	asciiClasses = map[rune]string{'d': `0-9`, 'w': `a-zA-Z_0-9`, 's': ` \t\n\x0B\f\r`, 'h': ` \t\xA0`, 'v': `\n\x0B\f\r\x85`}
	posixClasses = map[string]string{
		"Lower": `a-z`, "Upper": `A-Z`, "ASCII": `\x00-\x7F`, "Alpha": `a-zA-Z`, "Digit": `0-9`, "Alnum": `a-zA-Z0-9`,
		"Punct": `!-/:-@\[-\x60{-~`, "Graph": `!-~`, "Print": ` -~`, "Blank": ` \t`, "Cntrl": `\x00-\x1F\x7F`,
		"XDigit": `0-9a-fA-F`, "Space": ` \t\n\x0B\f\r`, "IsAlphabetic": `\p{L}\p{Nl}`, "IsDigit": `\p{Nd}`,
		"IsUppercase": `\p{Lu}`, "IsLowercase": `\p{Ll}`, "javaLowerCase": `\p{Ll}`, "javaUpperCase": `\p{Lu}`,
	}
)

// javaReader rewrites a pattern.
type javaReader struct {
	in  []rune
	at  int
	out strings.Builder
	// atom is where the last atom begins in out, -1 before the first; open is where the open groups begin.
	atom int
	open []int
}

func (r *javaReader) rest() string { return string(r.in[r.at:]) }

func (r *javaReader) read() (string, error) {
	r.atom = -1
	for r.at < len(r.in) {
		c := r.in[r.at]
		switch {
		case c == '\\':
			if err := r.escape(); err != nil {
				return "", err
			}
		case c == '[':
			r.atom = r.out.Len()
			if err := r.class(); err != nil {
				return "", err
			}
		case c == '(':
			r.open = append(r.open, r.out.Len())
			r.copy(1)
			r.atom = -1
			if r.at < len(r.in) && r.in[r.at] == '?' {
				r.copy(1)
			}
		case c == ')':
			if len(r.open) > 0 {
				r.atom, r.open = r.open[len(r.open)-1], r.open[:len(r.open)-1]
			}
			r.copy(1)
		case strings.ContainsRune("*+?{", c):
			r.quantifier()
		default:
			r.atom = r.out.Len()
			r.copy(1)
		}
	}
	return r.out.String(), nil
}

func (r *javaReader) copy(n int) {
	r.out.WriteString(string(r.in[r.at : r.at+n]))
	r.at += n
}

// quantifier copies a quantifier. It makes an atomic group of a possessive one, which means the same.
func (r *javaReader) quantifier() {
	end := r.at + 1
	if r.in[r.at] == '{' {
		for end < len(r.in) && r.in[end-1] != '}' {
			end++
		}
	}
	possessive := end < len(r.in) && r.in[end] == '+' && r.atom >= 0
	r.copy(end - r.at)
	if !possessive {
		if r.at < len(r.in) && r.in[r.at] == '?' {
			r.copy(1)
		}
		return
	}
	r.at++
	all := r.out.String()
	r.out.Reset()
	r.out.WriteString(all[:r.atom] + "(?>" + all[r.atom:] + ")")
}

// escape rewrites what begins with a backslash outside of a class.
func (r *javaReader) escape() error {
	r.atom = r.out.Len()
	if quoted, ok := strings.CutPrefix(r.rest(), `\Q`); ok {
		literal, _, _ := strings.Cut(quoted, `\E`)
		for _, c := range literal {
			r.atom = r.out.Len() // a quantifier is for the last character
			r.out.WriteString(regexp2.Escape(string(c)))
		}
		r.at = min(len(r.in), r.at+len([]rune(literal))+len(`\Q\E`))
		return nil
	}
	if strings.HasPrefix(r.rest(), `\R`) {
		r.out.WriteString(`(?>\r\n|[\n\x0B\f\r\x85\u2028\u2029])`)
		r.at += 2
		return nil
	}
	content, negated, ok, err := r.escapedClass()
	switch {
	case err != nil:
		return err
	case ok && negated:
		r.out.WriteString("[^" + content + "]")
	case ok:
		r.out.WriteString("[" + content + "]")
	default:
		r.copy(2)
	}
	return nil
}

// escapedClass reads a class such as \d or \p{Alpha}. ok is false if the escape is another one.
func (r *javaReader) escapedClass() (content string, negated, ok bool, err error) {
	if r.at+1 >= len(r.in) {
		return "", false, false, fmt.Errorf("it ends with a backslash")
	}
	c := r.in[r.at+1]
	if c == 'p' || c == 'P' {
		name, _, closed := strings.Cut(strings.TrimPrefix(r.rest()[2:], "{"), "}")
		if content, ok = posixClasses[name]; ok && closed {
			r.at += len([]rune(name)) + len(`\p{}`)
		}
		return content, c == 'P', ok && closed, nil
	}
	lower := c | 0x20
	if content, ok = asciiClasses[lower]; ok {
		r.at += 2
	}
	return content, c != lower, ok, nil
}

// class copies a class in brackets. Classes inside of it are refused, since the two languages read them differently.
func (r *javaReader) class() error {
	r.copy(1)
	if r.at < len(r.in) && r.in[r.at] == '^' {
		r.copy(1)
	}
	for first := true; r.at < len(r.in); first = false {
		switch c := r.in[r.at]; {
		case c == ']' && !first:
			r.copy(1)
			return nil
		case c == '[':
			return fmt.Errorf("a class inside a class is not supported by the local stack")
		case c == '&' && strings.HasPrefix(r.rest(), "&&"):
			return fmt.Errorf("the intersection of classes (&&) is not supported by the local stack")
		case c == '\\':
			content, negated, ok, err := r.escapedClass()
			switch {
			case err != nil:
				return err
			case !ok:
				r.copy(2)
			case negated:
				return fmt.Errorf("a negated class inside a class is not supported by the local stack")
			default:
				r.out.WriteString(content)
			}
		default:
			r.copy(1)
		}
	}
	return fmt.Errorf("a class is not closed")
}
