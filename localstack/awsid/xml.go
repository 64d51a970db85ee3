package awsid

import (
	"encoding/xml"
	"net/http"
)

// WriteXMLError answers with an error in AWS's query protocol. code is the error, such as AccessDenied. Below status
// 500 the error is the sender's, else the receiver's. See
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#error-response-serialization.
func WriteXMLError(w http.ResponseWriter, status int, namespace, code, message string) {
	type inner struct {
		Type, Code, Message string
		Detail              struct{}
	}
	answer := struct {
		XMLName   xml.Name
		Error     inner
		RequestId string
	}{
		XMLName: xml.Name{Space: namespace, Local: "ErrorResponse"},
		Error:   inner{Type: "Sender", Code: code, Message: message}, RequestId: NewRequestID(),
	}
	if status >= http.StatusInternalServerError {
		answer.Error.Type = "Receiver"
	}
	body, _ := xml.Marshal(answer) // texts always encode
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-Requestid", answer.RequestId)
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(xml.Header), body...)) // fails if the client is gone
}
