package codegrant

import (
	"encoding/json"
	"net/http"

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
