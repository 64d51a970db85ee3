package build

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maxUnzipped is the most bytes that the code of a function may have unzipped.
// See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const maxUnzipped = 250 << 20

// checkArchive checks that a zip file has a binary which this machine can run.
func checkArchive(source, bootstrap string) error {
	archive, err := zip.OpenReader(source)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	defer func() { _ = archive.Close() }()
	var size uint64
	var found *zip.File
	for _, f := range archive.File {
		if size += f.UncompressedSize64; size > maxUnzipped || f.UncompressedSize64 > maxUnzipped {
			return fmt.Errorf("%s has more than %d bytes unzipped, which Lambda does not take", source, maxUnzipped)
		}
		if path.Clean(f.Name) == path.Clean(bootstrap) && !f.FileInfo().IsDir() {
			found = f
		}
	}
	if found == nil {
		return fmt.Errorf("%s has no file %s at its top level", source, bootstrap)
	}
	if found.Mode()&0o111 == 0 {
		return fmt.Errorf("%s in %s may not be executed, so Lambda cannot start it; zip it with its mode 0755", bootstrap, source)
	}
	content, err := found.Open()
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	defer func() { _ = content.Close() }()
	binary, err := io.ReadAll(io.LimitReader(content, maxUnzipped))
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	return checkPlatform(bootstrap+" in "+source, bytes.NewReader(binary))
}

// unzip writes the files of a zip file below dir.
func unzip(source, dir string) error {
	archive, err := zip.OpenReader(source)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	defer func() { _ = archive.Close() }()
	left := int64(maxUnzipped)
	for _, f := range archive.File {
		if err := unzipOne(f, dir, &left); err != nil {
			return fmt.Errorf("%s: %s: %w", source, f.Name, err)
		}
	}
	return nil
}

// unzipOne writes one file or folder. left is how many bytes may still be written.
func unzipOne(f *zip.File, dir string, left *int64) error {
	name := filepath.FromSlash(strings.TrimSuffix(f.Name, "/"))
	if !filepath.IsLocal(name) {
		return errors.New("the path leads out of the archive")
	}
	target := filepath.Join(dir, name)
	switch mode := f.Mode(); {
	case mode.IsDir():
		return os.MkdirAll(target, 0o755)
	case !mode.IsRegular():
		return errors.New("is not a file and not a folder")
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	from, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, f.Mode().Perm()|0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(to, io.LimitReader(from, *left+1))
	if *left -= n; *left < 0 {
		err = fmt.Errorf("the archive has more than %d bytes unzipped", maxUnzipped)
	}
	return errors.Join(err, to.Close())
}
