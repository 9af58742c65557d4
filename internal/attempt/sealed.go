package attempt

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// An attempt in cookies. N is __Host-authjs.txn.<hash of state>:
//
//	up to 3800 characters    N    [ value         ]
//	more                     N    [ the first 3800]   N.1  [ the rest ]
//
// What is sealed is JSON, and where the page that is wanted makes it long, deflated
// JSON behind a zero byte: addresses of dashboards become a third of what they are,
// and an answer still passes through a proxy that takes 4 kB of header. How long a
// cookie is tells nothing of the secrets beside the address, which are new in each.
const (
	// partSize is what a browser takes in one cookie, 4096 bytes of it all (RFC 6265
	// 6.1), less what name and attributes take.
	partSize = 3800
	restMark = ".1"

	// maxJoined is how many pairs of cookies one request has put together. A browser
	// brings two cookies of one name only where somebody planted one.
	maxJoined = 256

	// deflateOver is the length of JSON that is worth deflating, and maxInflated
	// more than what is sealed can come to.
	deflateOver = 1024
	maxInflated = 64 << 10
)

// sealed is the cookie's content. Short names: it has to be small.
type sealed struct {
	Provider    string `json:"p"`
	State       string `json:"s"`
	Nonce       string `json:"n"`
	Verifier    string `json:"v"`
	RedirectURI string `json:"u"`
	ReturnTo    string `json:"r"`
	Params      string `json:"q,omitempty"`
	Expires     int64  `json:"e"`
}

// seal is a as a cookie's value.
func (k *Keeper) seal(a Attempt) (string, error) {
	payload, err := json.Marshal(sealed{
		Provider: a.Provider, State: a.State, Nonce: a.Nonce, Verifier: a.Verifier,
		RedirectURI: a.RedirectURI, ReturnTo: a.ReturnTo, Params: a.Params.Encode(), Expires: a.Expires.Unix(),
	})
	if err != nil {
		return "", err
	}
	if len(payload) > deflateOver {
		payload = deflate(payload)
	}
	return k.codec.Seal(payload), nil
}

// open reads one value.
func (k *Keeper) open(value string) (s sealed, ok bool) {
	payload, err := k.codec.Open(value)
	if err == nil && len(payload) > 0 && payload[0] == 0 {
		payload, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(payload[1:])), maxInflated))
	}
	if err != nil || json.Unmarshal(payload, &s) != nil || s.State == "" {
		return sealed{}, false
	}
	return s, true
}

// read is what is sealed in head, or in head and one of rest behind it. left is how
// many pairs may still be tried.
func (k *Keeper) read(head string, rest []*http.Cookie, left *int) (s sealed, ok bool) {
	if len(head) != partSize {
		return k.open(head)
	}
	for _, c := range rest {
		if *left--; *left < 0 {
			return sealed{}, false
		}
		if s, ok := k.open(head + c.Value); ok {
			return s, true
		}
	}
	return k.open(head)
}

// attempt is s as its users see it.
func (s sealed) attempt() (a Attempt, ok bool) {
	params, err := url.ParseQuery(s.Params)
	expires := time.Unix(s.Expires, 0)
	return Attempt{
		Provider: s.Provider, State: s.State, Nonce: s.Nonce, Verifier: s.Verifier,
		RedirectURI: s.RedirectURI, ReturnTo: s.ReturnTo, Params: params,
		Restarted: Restarted(s.State), Begun: expires.Add(-Life), Expires: expires,
	}, err == nil
}

// deflaters are kept, because one takes more memory than all of the rest of a
// request.
var deflaters = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestCompression) // fails for other levels alone
	return w
}}

func deflate(payload []byte) []byte {
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	b := bytes.NewBuffer([]byte{0})
	w.Reset(b)
	_, _ = w.Write(payload) // a buffer takes all
	_ = w.Close()
	return b.Bytes()
}
