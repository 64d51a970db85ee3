package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrNotInstalled reports that this machine has no Postgres server to start. Its text says how to get one.
var ErrNotInstalled = errors.New(`no Postgres found on this machine; any of these helps:
  - install it: "sudo apt install postgresql" (Debian, Ubuntu), "brew install postgresql" (macOS)
  - use a server that runs already: give its URL, postgres://user:password@host:5432/database
  - if it is installed in a folder of its own, put that folder's bin on the PATH`)

// installedIn has the folders outside the PATH in which packages keep Postgres.
var installedIn = []string{
	"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                   // Fedora, RHEL with postgresql.org's packages
	"/usr/libexec/postgresql*",                           // Alpine
	"/opt/homebrew/opt/postgresql*/bin",                  // Homebrew on Apple silicon
	"/usr/local/opt/postgresql*/bin",                     // Homebrew on Intel
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",     // Homebrew on Linux
	"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
	"/Library/PostgreSQL/*/bin",                          // EnterpriseDB's installer
	"/usr/local/pgsql/bin",                               // built from source
}

// Find returns the folder of the server's programs: the folder on the PATH, else the folder that pg_config names, else
// the newest of the folders that packages use. It returns ErrNotInstalled if there is no such folder.
func Find() (bindir string, err error) {
	all := findAll(installedIn)
	if len(all) == 0 {
		return "", ErrNotInstalled
	}
	return all[0], nil
}

// findAll returns every folder with a Postgres server, the preferred one first.
func findAll(patterns []string) []string {
	var found []string
	add := func(dir string) {
		// A link on the PATH leads to the folder that has the rest of the programs.
		program, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
		if err != nil {
			return
		}
		dir = filepath.Dir(program)
		if !slices.Contains(found, dir) && executable(program) && executable(filepath.Join(dir, "initdb")) {
			found = append(found, dir)
		}
	}
	// Debian puts psql on the PATH but neither postgres nor initdb.
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.IsAbs(dir) {
			add(dir)
		}
	}
	if dir, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		add(strings.TrimSpace(string(dir)))
	}
	var installed []string
	for _, pattern := range patterns {
		dirs, _ := filepath.Glob(pattern) // fails on a malformed pattern only
		installed = append(installed, dirs...)
	}
	slices.SortStableFunc(installed, func(a, b string) int { return slices.Compare(numbers(b), numbers(a)) })
	for _, dir := range installed {
		add(dir)
	}
	return found
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

var digits = regexp.MustCompile(`\d+`)

// numbers returns the numbers in a text, so that version 9.6 sorts before 15.
func numbers(s string) []int {
	var all []int
	for _, d := range digits.FindAllString(s, -1) {
		n, _ := strconv.Atoi(d) // a number too large for an int is no version
		all = append(all, n)
	}
	return all
}

// versionOf returns the version of the server in bindir, such as "15.14".
func versionOf(ctx context.Context, bindir string) (string, error) {
	// "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", "postgres (PostgreSQL) 18beta1"
	out, err := exec.CommandContext(ctx, filepath.Join(bindir, "postgres"), "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s/postgres for its version: %w", bindir, err)
	}
	words := strings.Fields(string(out))
	if len(words) < 3 || len(numbers(words[2])) == 0 {
		return "", fmt.Errorf("ask %s/postgres for its version: it answered %q", bindir, out)
	}
	return words[2], nil
}

// majorOf returns the content of PG_VERSION in a data folder of the version: "15" for 15.14, "9.6" for 9.6.24.
func majorOf(version string) string {
	n := numbers(version)
	if n[0] < 10 && len(n) > 1 {
		return fmt.Sprintf("%d.%d", n[0], n[1])
	}
	return strconv.Itoa(n[0])
}
