package lambda

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
)

// ProfileVariable is the environment variable with the number of the file descriptor of a listener on which the process
// may serve its profiles. It is handed over open, so that the port is known and is nobody else's.
const ProfileVariable = "PPROF_FD"

// handProfileListener gives cmd a listener on a free port of 127.0.0.1. close closes this process's own ends of it.
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
