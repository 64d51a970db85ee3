package template

import (
	"strings"
	"testing"
)

func TestJavaPatterns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern string
		yes, no []string
	}{
		{`(?!.*\s)|(\d{12})`, []string{"", "123456789012"}, []string{"x", "12345678901"}},
		{`^(?!-)[a-z-]+(?<!-)$`, []string{"app", "a-b"}, []string{"-a", "a-", "A"}},
		{`rate\((?:\d{2,}+ minutes)\)`, []string{"rate(15 minutes)"}, []string{"rate(5 minutes)"}},
		{`a++b`, []string{"aab"}, []string{"b"}},
		{`a*+a`, nil, []string{"a", "aaa"}}, // possessive: nothing is given back
		{`(ab)?+ab`, []string{"abab"}, []string{"ab"}},
		{`(?<x>a|b)\k<x>`, []string{"aa", "bb"}, []string{"ab"}},
		{`\p{Alpha}[\p{Digit}_]*\p{Punct}`, []string{"a1_!"}, []string{"é1!", "a1a"}},
		{`\d+`, []string{"12"}, []string{"١٢"}}, // of ASCII, as in Java
		{`\Qa.b*\E+`, []string{"a.b*", "a.b**"}, []string{"axb*"}},
		{`[\w.-]+@[^\s@]+`, []string{"a.b-c@d.e"}, []string{"a b@c", "a@b@c"}},
		{`\p{Lu}\p{IsLowercase}*`, []string{"Éé"}, []string{"é"}},
		{`a|b`, []string{"a", "b"}, []string{"ab"}}, // the whole value
		{`x{2}+y`, []string{"xxy"}, []string{"xy"}},
	} {
		p, err := compileJava(test.pattern)
		if err != nil {
			t.Error(err)
			continue
		}
		for value, want := range map[bool][]string{true: test.yes, false: test.no} {
			for _, text := range want {
				if got, err := p.matches(text); got != value || err != nil {
					t.Errorf("%s on %q: %t, %v", test.pattern, text, got, err)
				}
			}
		}
	}
}

func TestJavaPatternsThatAreRefused(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		`[a-z&&[^b]]`: "&&", `[a[b]]`: "a class inside a class", `[a`: "not closed", `(a`: "pattern (a:", `a\`: "backslash", `[\D]`: "negated",
	} {
		if _, err := compileJava(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v; want %s", pattern, err, want)
		}
	}
	p, err := compileJava(`(a+)+b`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.matches(strings.Repeat("a", 100)); err == nil {
		t.Error("a match without end has no error")
	}
}

// FuzzJavaPattern: every text is a pattern or an error.
func FuzzJavaPattern(f *testing.F) {
	f.Add(`(?!.*\s)|(\d{12})++[^\w.]`, "x")
	f.Add(`\Qa`, "a")
	f.Add(`{+`, "")
	f.Fuzz(func(t *testing.T, pattern, value string) {
		p, err := compileJava(pattern)
		if err == nil && p == nil {
			t.Error("no pattern and no error")
		}
	})
}
