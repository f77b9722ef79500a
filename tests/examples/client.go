// A test of a SCEP client: a site of its own, a request, the journal.
// Usage: go run client.go [CONTROL-URL], which is `control` of the READY line.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

var control = "http://127.0.0.1:8081"

// The body of the answer; into `out`, unless that is nil.
func send(method, url, body string, out any) (string, error) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s %s", method, url, reply.Status, text)
	}
	if err == nil && out != nil {
		err = json.Unmarshal(text, out)
	}
	return string(text), err
}

func test() (err error) {
	var site struct{ ID, URL string }
	var found struct {
		Requests []struct{ Reply struct{ Status int } }
	}

	_, err = send("POST", control+"/v1/sites",
		`{"scenario":"caps-without-post"}`, &site)
	if err != nil {
		return err
	}
	here := control + "/v1/sites/" + site.ID
	defer func() {
		if _, failure := send("DELETE", here, "", nil); err == nil {
			err = failure
		}
	}()

	// The client under test goes here; this one asks what the server can.
	caps, err := send("GET", site.URL+"?operation=GetCACaps", "", nil)
	if err != nil {
		return err
	}

	// The entry is written when the answer is out: wait for it.
	_, err = send("GET", here+"/requests?operation=GetCACaps&wait=5", "", &found)
	if err != nil {
		return err
	}

	if !strings.Contains(caps, "SHA-256") ||
		strings.Contains(caps, "POSTPKIOperation") {
		return fmt.Errorf("capabilities: %q", caps)
	}
	if len(found.Requests) != 1 || found.Requests[0].Reply.Status != 200 {
		return fmt.Errorf("journal: %v", found)
	}
	fmt.Printf("GetCACaps: %d, without POSTPKIOperation\n",
		found.Requests[0].Reply.Status)
	return nil
}

func main() {
	if value := os.Getenv("MOCKNDES_CONTROL"); value != "" {
		control = value
	}
	if len(os.Args) > 1 {
		control = os.Args[1]
	}
	if err := test(); err != nil {
		log.Fatal(err)
	}
}
