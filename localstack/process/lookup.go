package process

// Info describes a process.
type Info struct {
	// Parent is the number of the parent process.
	Parent int
	// State is the letter of ps(1): 'R' running, 'S' sleeping, 'T' stopped, 'Z' ended, but its parent has not waited
	// for it yet; systems have more.
	State byte
	// Command is the name of the program, without its folder. Systems may cut it after 15 bytes.
	Command string
}

// Lookup describes the process pid. It returns false if the process has ended; Info is then zero, or says 'Z'. The error
// reports that the system did not answer.
func Lookup(pid int) (Info, bool, error) {
	info, found, err := lookup(pid)
	return info, found && info.State != 'Z', err
}
