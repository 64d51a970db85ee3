package main

import (
	"net"
	"net/url"
	"strings"
)

// hostName is this machine's name inside containers. Docker Desktop provides the name; elsewhere, --add-host
// host.docker.internal:host-gateway does.
const hostName = "host.docker.internal"

// moveToHost replaces loopback addresses with the machine's name, in URLs and in lists of host:port, and returns their
// ports.
func moveToHost(variables map[string]string) (ports []string) {
	for name, value := range variables {
		if u, err := url.Parse(value); err == nil && u.Host != "" {
			if isLoopback(u.Hostname()) && u.Port() != "" {
				ports = append(ports, u.Port())
				u.Host = net.JoinHostPort(hostName, u.Port())
				variables[name] = u.String()
			}
			continue
		}
		list := strings.Split(value, ",")
		for i, address := range list {
			if host, port, err := net.SplitHostPort(address); err == nil && isLoopback(host) {
				ports = append(ports, port)
				list[i] = net.JoinHostPort(hostName, port)
			}
		}
		variables[name] = strings.Join(list, ",")
	}
	return ports
}

// isLoopback reports whether a host is this machine. LocalStack's name resolves to 127.0.0.1, which inside a container
// is the container.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback() ||
		host == "localhost.localstack.cloud" || strings.HasSuffix(host, ".localhost.localstack.cloud")
}
