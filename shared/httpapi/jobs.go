package httpapi

import (
	"encoding/json"
	"net/http"
)

// listedJob is one job of GET /job. It omits limits that the job does not have.
type listedJob struct {
	Name          string          `json:"name"`
	Timeout       int64           `json:"timeout,omitempty"`
	MaxAttempts   int             `json:"max_attempts,omitempty"`
	MaxRunning    int             `json:"max_running,omitempty"`
	MaxPerKey     int             `json:"max_running_per_key,omitempty"`
	Priority      int             `json:"priority,omitempty"`
	PayloadSchema json.RawMessage `json:"payload_schema"`
	ResultSchema  json.RawMessage `json:"result_schema"`
}

// jobs lists the jobs that a submission can choose.
func (a *api) jobs(w http.ResponseWriter, r *http.Request) {
	if _, err := readQuery(r); err != nil {
		writeProblem(w, http.StatusBadRequest, err.Error())
		return
	}
	list := []listedJob{}
	for _, j := range a.options.Jobs.All() {
		payload, err := j.PayloadSchema()
		if err != nil {
			a.fail(w, r, err)
			return
		}
		result, err := j.ResultSchema()
		if err != nil {
			a.fail(w, r, err)
			return
		}
		o := j.Options()
		list = append(list, listedJob{j.Name(), seconds(o.Timeout), o.MaxAttempts, o.MaxRunning, o.MaxRunningPerKey, o.Priority, payload, result})
	}
	writeJSON(w, http.StatusOK, list)
}
