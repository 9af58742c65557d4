package session

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// What a request may bring under one name, because browsers send the cookies of
// the host, of its domain and of all paths that match alike, with nothing that
// tells them apart (RFC 6265 5.4):
//
//	N=..., N=..., ...      values without a suffix, each a token or a key
//	N.0=..., N.0=..., ...  first chunks: of each number, one belongs to ours
//	N.1=..., N.2=...
//
// A sibling domain can plant any of them, before ours or behind. Everything that
// asks which one is ours goes through this file, so that what is loaded, renewed
// and ended is the same. Junk is passed over: there is no number of cookies within
// what a browser keeps that hides ours. What it costs is bounded in bytes.

const (
	// readChunks bounds what is read: Auth.js writes as many as it needs.
	readChunks = 20

	// maxCookies is where net/http's own parser gives up too. A request with more
	// is nobody's. Browsers keep some 180 for all hosts of a domain, and forget the
	// oldest beyond that, ours among them.
	maxCookies = 3000

	// inlineValues is how many values of one name are kept without allocating.
	inlineValues = 4

	// maxDuplicates is how many further chunks of the same numbers are kept, and
	// maxSteps how many of their combinations are begun.
	maxDuplicates = 256
	maxSteps      = 4096

	// maxTried is how many bytes of tokens are verified for one name of a request,
	// some 3 ms of HMAC-SHA512: as much as net/http takes of a header by default, so
	// that only combinations of chunks come near. Tokens that were verified before are
	// not counted.
	maxTried = 1 << 20

	// maxKeys is how many keys a store is asked for: as many as browsers keep
	// cookies for a domain.
	maxKeys = 180
)

// found are the values that a request brings under one name.
type found struct {
	plain  [inlineValues]string // those without a suffix, in the request's order
	nPlain int
	more   []string // the rest of them

	chunks     [readChunks]string // the first of each number
	duplicates []duplicate        // the others
	there      uint32             // a bit for each chunk that there is, empty or not
	stray      []string           // names of chunks with too high a number, to delete
	any        bool               // whether there is any, valid or not
}

// duplicate is a chunk beside the first one of its number.
type duplicate struct {
	number int
	value  string
}

// find looks through the Cookie header (RFC 6265 4.2.1) for name and its chunks,
// name.0 to name.19, and adds them to f. Names match byte for byte and nothing in
// them is decoded: "%5f%5fSecure-" is no prefix. It does not use
// [http.Request.Cookies], which decodes all of them.
func find(h http.Header, name string, f *found) {
	count := 0
	for _, line := range h["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			if count++; count > maxCookies {
				*f = found{any: f.any}
				return
			}
			pair = strings.Trim(pair, " \t")
			if !strings.HasPrefix(pair, name) {
				continue
			}
			key, value, ok := strings.Cut(pair, "=")
			if !ok {
				continue
			}
			f.add(key[len(name):], key, strings.Trim(value, `"`))
		}
	}
}

// add takes the cookie key, which is the name looked for with suffix behind it. A
// chunk's number has one spelling: ".01", ".+1" and ".1e0" are other cookies, and
// not ours to delete.
func (f *found) add(suffix, key, value string) {
	if suffix == "" {
		f.any = true
		if f.nPlain < len(f.plain) {
			f.plain[f.nPlain] = value
		} else {
			f.more = append(f.more, value)
		}
		f.nPlain++
		return
	}
	if suffix[0] != '.' {
		return
	}
	i, err := strconv.Atoi(suffix[1:])
	if err != nil || suffix[1:] != strconv.Itoa(i) || i < 0 {
		return
	}
	f.any = true
	switch {
	case i >= readChunks:
		if len(f.stray) < maxRemoved {
			f.stray = append(f.stray, key)
		}
		return
	case value == "":
	case f.chunks[i] == "":
		f.chunks[i] = value
	case len(f.duplicates) < maxDuplicates:
		f.duplicates = append(f.duplicates, duplicate{i, value})
	}
	f.there |= 1 << i
}

// value is the i-th value without a suffix, of nPlain.
func (f *found) value(i int) string {
	if i < len(f.plain) {
		return f.plain[i]
	}
	return f.more[i-len(f.plain)]
}

// keys calls visit with what may be a store's keys, in the request's order, until
// it returns false. A store is not asked for anything of another shape.
func (f *found) keys(visit func(value string) (more bool)) { f.shaped(isKeyText, visit) }

// shaped is keys for values of the given shape.
func (f *found) shaped(shape func(value string) bool, visit func(value string) (more bool)) {
	asked := 0
	for i := range f.nPlain {
		if value := f.value(i); shape(value) {
			if asked++; asked > maxKeys || !visit(value) {
				return
			}
		}
	}
}

// joined are the tokens that chunks may make when they are put together, those of
// the first of each number first, and no more than will be verified. That a chunk
// is of another token shows when the whole is opened.
func (f *found) joined() []pieces {
	if f.chunks[0] == "" {
		return nil
	}
	j := joiner{chunks: f.chunks, duplicates: f.duplicates, steps: maxSteps, left: maxTried}
	j.from(0, 0, 0)
	return j.tokens
}

// joiner looks for tokens among chunks. It counts dots, so that pieces are put
// together only where they end as a token does:
//
//	N.0 eyJ...a   N.0 junk    begun: eyJ...a, junk
//	N.1 b.tag     N.1 b2.tag  tried: eyJ...ab.tag, eyJ...ab2.tag, junkb.tag, junkb2.tag
//	N.2 stale                 not tried: behind a tag of full length nothing fits
//
// It has the chunks by value: a pointer would put found on the heap for each
// request.
type joiner struct {
	chunks     [readChunks]string
	duplicates []duplicate
	pieces     [readChunks]string
	steps      int // that it may still take
	left       int // bytes that may still be put together
	tokens     []pieces
}

// from goes on with chunk i, behind pieces with so many dots, and so many
// characters after the last of them.
func (j *joiner) from(i, dots, tail int) {
	for at, value := -1, j.chunks[i]; value != "" && j.steps > 0; at, value = j.next(i, at) {
		j.steps--
		j.pieces[i] = value
		d, t := dots, tail+len(value)
		for rest := value; d <= 4; {
			var found bool
			if _, rest, found = strings.Cut(rest, "."); !found {
				break
			}
			d, t = d+1, len(rest)
		}
		if d == 4 && (t == cbcTagText || t == gcmTagText) {
			token := pieces(j.pieces[:i+1])
			if j.left -= token.length(); j.left < 0 {
				j.steps = 0
				return
			}
			j.tokens = append(j.tokens, slices.Clone(token))
		}
		if d <= 4 && i+1 < readChunks {
			j.from(i+1, d, t)
		}
	}
}

// next is the first duplicate of chunk i after the one at, and where that is; ""
// when there is none.
func (j *joiner) next(i, at int) (int, string) {
	for at++; at < len(j.duplicates); at++ {
		if j.duplicates[at].number == i {
			return at, j.duplicates[at].value
		}
	}
	return at, ""
}

// brought are the cookies of names and their chunks that h brings, to delete, of
// which there are at most maxRemoved. Those that make a token worthless, the one
// without a suffix and the first chunk, come first.
func brought(h http.Header, names ...string) (list []string) {
	var chunks, stray []string
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		var f found
		find(h, name, &f)
		if f.nPlain > 0 {
			list = append(list, name)
		}
		for n := range readChunks {
			switch chunk := name + "." + strconv.Itoa(n); {
			case f.there&(1<<n) == 0:
			case n == 0:
				list = append(list, chunk)
			default:
				chunks = append(chunks, chunk)
			}
		}
		stray = append(stray, f.stray...)
	}
	list = slices.Concat(list, chunks, stray)
	return list[:min(len(list), maxRemoved)]
}
