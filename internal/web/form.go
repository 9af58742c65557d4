package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/sallyport/auth/internal/strictjson"
)

// updateField is the one field of a body that is more than text: r.PostForm has
// its JSON.
const updateField = "data"

// parseForm reads the body of a POST, a form or the same as JSON, into
// r.PostForm. It returns the status to refuse with, or 0.
func parseForm(w http.ResponseWriter, r *http.Request, limit int64) int {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	switch {
	case err == nil && media == "application/x-www-form-urlencoded":
		err = readForm(r)
	case err == nil && media == "application/json":
		err = readJSON(r)
	default:
		return http.StatusUnsupportedMediaType
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge
	case err != nil:
		return http.StatusBadRequest
	}
	return 0
}

var errTwice = errors.New("a field stands twice")

func readForm(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	for _, values := range r.PostForm {
		if len(values) > 1 {
			return errTwice
		}
	}
	if r.PostForm.Has(updateField) {
		text, err := json.Marshal(r.PostForm.Get(updateField))
		r.PostForm.Set(updateField, string(text))
		return err
	}
	return nil
}

func readJSON(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	o, err := strictjson.Parse(body)
	if err != nil {
		return err
	}
	r.PostForm = make(url.Values, len(o))
	for name := range o {
		value, ok := o.String(name)
		if !ok || name == updateField {
			value = string(o[name])
		}
		r.PostForm.Set(name, value)
	}
	return nil
}
