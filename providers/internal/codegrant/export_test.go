package codegrant

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/upstream"
)

// ReadAnswer is what x/oauth2 is given of an answer of the token endpoint.
func ReadAnswer(forms bool, status int, media string, body []byte) ([]byte, error) {
	a, err := TokenRequest{Provider: "idp", Forms: forms}.read(&upstream.Response{Status: status, Header: http.Header{"Content-Type": {media}}, Body: body})
	if err != nil {
		return nil, err
	}
	return json.Marshal(a)
}

// RefusedClient is the error of a client whom the token endpoint refuses.
func RefusedClient(method Method, secret auth.Secret, status int, code string) error {
	body, _ := json.Marshal(map[string]string{"error": code})
	t := TokenRequest{Provider: "idp", Method: method, Client: Client{ID: "app", Secret: secret}}
	_, err := t.read(&upstream.Response{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: body})
	return err
}

// ReadDevice is what an answer says to a device that asked at a time.
func ReadDevice(d Device, status int, body []byte, asked time.Time) (*auth.DeviceAuthorization, error) {
	return d.read(&upstream.Response{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}, asked)
}
