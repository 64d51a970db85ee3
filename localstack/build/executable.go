package build

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// architectures are Go's names of the processors that Lambda has, by the machine in an ELF file.
var architectures = map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}

// checkExecutable checks that a file exists, may be executed, and is for this machine.
func checkExecutable(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s; build it first, or set Metadata: {BuildMethod: %s} to have it built", path, Go)
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", path)
	case info.Mode()&0o111 == 0:
		return fmt.Errorf("%s may not be executed, so Lambda cannot start it; run chmod +x on it", path)
	}
	return checkPlatform(path, file)
}

// checkPlatform checks that the machine can run a binary. Scripts run on every machine.
func checkPlatform(name string, binary io.ReaderAt) error {
	var magic [4]byte
	if _, err := binary.ReadAt(magic[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", name, err)
	}
	here := runtime.GOOS + "/" + runtime.GOARCH
	platform := ""
	switch {
	case bytes.HasPrefix(magic[:], []byte("#!")):
		return nil
	case bytes.Equal(magic[:], []byte(elf.ELFMAG)):
		file, err := elf.NewFile(binary)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		platform = "linux/" + architectures[file.Machine]
	default:
		file, err := macho.NewFile(binary)
		if err != nil {
			return fmt.Errorf("%s is no program that this machine (%s) can run", name, here)
		}
		platform = "darwin/" + map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}[file.Cpu]
	}
	if platform != here {
		return fmt.Errorf("%s is a program for %s, and this machine is %s; build it with GOOS=%s GOARCH=%s, or set Metadata: {BuildMethod: %s} to have it built",
			filepath.Base(name), platform, here, runtime.GOOS, runtime.GOARCH, Go)
	}
	return nil
}
