package lambda

import (
	"encoding/json"
	"net/http"
)

// serveRegister registers an internal extension. What a function wants from it is the SIGTERM before its end, which
// Lambda gives to no other: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html.
// Extensions that want events are refused rather than left waiting for them.
func (e *environment) serveRegister(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Events []string `json:"events"`
	}
	body, _, err := readBody(r, 64<<10)
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	switch {
	case err != nil:
		runtimeError(w, http.StatusBadRequest, "InvalidRequest", "register an extension: "+err.Error())
		return
	case r.Header.Get("Lambda-Extension-Name") == "":
		runtimeError(w, http.StatusForbidden, "Extension.InvalidExtensionName", "the extension has no name")
		return
	case len(request.Events) > 0:
		runtimeError(w, http.StatusForbidden, "ShutdownEventNotSupportedForInternalExtension",
			"extension events are not emulated, only an extension without events")
		return
	}
	f := e.function
	f.mu.Lock()
	late := e.phase != starting
	if !late {
		e.extension = true
	}
	f.mu.Unlock()
	if late {
		runtimeError(w, http.StatusForbidden, "Extension.RegistrationClosed", "extensions register during the init only")
		return
	}
	answer, _ := json.Marshal(map[string]string{ // strings always encode
		"functionName": f.Name, "functionVersion": version, "handler": f.Handler,
	})
	w.Header()["Content-Type"] = contentJSON
	w.Header().Set("Lambda-Extension-Identifier", e.id)
	_, _ = w.Write(answer)
}

// serveExtensionNext waits until the environment ends: there are no events.
func (e *environment) serveExtensionNext(w http.ResponseWriter, r *http.Request) {
	select {
	case <-e.gone:
	case <-r.Context().Done():
	}
	noEnvironment(w)
}
