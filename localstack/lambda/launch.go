package lambda

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// start starts the process. A failure is a failed init. The process may call /next before start returns.
func (e *environment) start() {
	f := e.function
	err := e.launch()
	f.mu.Lock()
	if err != nil {
		f.mu.Unlock()
		e.notStarted(err)
		return
	}
	e.started = true
	if e.cause != none { // set by Close during the launch
		e.kill()
	} else if e.frozen { // it called /next during the launch
		e.signal(syscall.SIGSTOP)
	}
	f.mu.Unlock()
	go e.wait()
}

func (e *environment) launch() error {
	f := e.function
	reader, writer, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe for the log: %w", err)
	}
	defer writer.Close()
	lines, err := readLogs(reader, f.Name, f.service.options.Logs)
	if err != nil {
		return err
	}
	f.mu.Lock() // the handlers may serve the process before start returns
	e.logs = lines
	f.mu.Unlock()
	e.cmd = exec.Command(f.binary)
	e.cmd.Dir = filepath.Dir(f.binary)
	e.cmd.Env = append(f.env[:len(f.env):len(f.env)],
		"AWS_LAMBDA_RUNTIME_API="+f.service.api.address+"/"+e.id, "AWS_LAMBDA_LOG_STREAM_NAME="+e.stream)
	// One pipe for both keeps their lines in order.
	e.cmd.Stdout, e.cmd.Stderr = writer, writer
	var profiles string
	if f.service.options.Profiles != nil {
		address, closeListener, err := handProfileListener(e.cmd)
		if err != nil {
			e.logs.close()
			return err
		}
		defer closeListener()
		profiles = address
	}
	if err := f.service.options.Processes.Start(e.cmd, syscall.SIGTERM); err != nil {
		e.logs.close()
		return err
	}
	if profiles != "" {
		f.service.options.Profiles(f.Name, profiles)
	}
	e.memory.of(e.cmd.Process.Pid)
	return nil
}

// Processes starts processes so that none of them outlives the local stack. *process.Supervisor implements it.
type Processes interface {
	// Start starts cmd as the leader of a process group of its own. The signal stop ends it gracefully.
	Start(cmd *exec.Cmd, stop syscall.Signal) error
	// Exited reports that the caller has waited for a started process. It must end the rest of the process group.
	Exited(pid int)
}

// plainProcesses starts processes that nobody supervises.
type plainProcesses struct{}

func (plainProcesses) Start(cmd *exec.Cmd, _ syscall.Signal) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd.Start()
}

func (plainProcesses) Exited(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// ProfileVariable is the environment variable with the file descriptor of a listener on which the process may serve its
// profiles. The listener is open, so that its port is known and cannot be taken by another process.
const ProfileVariable = "PPROF_FD"

// handProfileListener gives cmd a listener on a free port of 127.0.0.1. close closes the copies of this process.
func handProfileListener(cmd *exec.Cmd) (address string, close func(), err error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("listen for profiles: %w", err)
	}
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return "", nil, fmt.Errorf("listen for profiles: %w", errors.Join(err, listener.Close()))
	}
	const first = 3 // after stdin, stdout and stderr
	cmd.Env = append(cmd.Env, ProfileVariable+"="+strconv.Itoa(first+len(cmd.ExtraFiles)))
	cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	return listener.Addr().String(), func() {
		_ = file.Close()
		_ = listener.Close()
	}, nil
}
