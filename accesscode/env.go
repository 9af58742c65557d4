package accesscode

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
)

// cure ends what is said about a code that does not do. An empty ACCESS_CODE is an
// error and never an open door: the second half tells those who meant "off".
const cure = "make one with `openssl rand -hex 16`; one that nobody knows turns access-code sign-in off"

// FromEnv makes a [Gate] of [ConfigFromEnv]. It is for [auth.Parts].AccessCode. The
// errors are those of ConfigFromEnv and [New].
func FromEnv(env auth.Env, secrets []auth.Secret, log *slog.Logger) (auth.CodeVerifier, error) {
	c, err := ConfigFromEnv(env, secrets, log)
	if err != nil {
		return nil, err
	}
	return New(c)
}

// ConfigFromEnv reads ACCESS_CODE, one or several codes separated by commas, for a
// program that sets more than these, such as Store. secrets are the deployment's, and
// log gets the warnings.
//
// Spaces and line breaks around a code are ignored, those inside count. Empty
// entries and repeated ones are left out. A code cannot contain a comma; [New]
// takes such ones. A single code is labelled "access code", several "access code
// 1", "access code 2", in the order of the variable. They have no groups and do
// not expire.
//
// A code of fewer than 16 characters is warned about by its number. The error joins
// an [*envvar.Error] for each code that [New] would not take: of fewer than 6
// characters, of more than 1024 bytes, or one that public documentation shows; and
// there is one for a variable that has none or is in quotes. Neither shows a code.
func ConfigFromEnv(env auth.Env, secrets []auth.Secret, log *slog.Logger) (Config, error) {
	value := strings.TrimSpace(env("ACCESS_CODE"))
	if err := envvar.Check("ACCESS_CODE", value); err != nil {
		return Config{}, err
	}
	var codes []Code
	var err error
	seen := map[string]bool{}
	for text := range strings.SplitSeq(value, ",") {
		text = strings.TrimSpace(text)
		if text == "" || seen[text] {
			continue
		}
		seen[text] = true
		n := len(codes) + 1
		switch {
		case unfit(text) != "":
			err = errors.Join(err, &envvar.Error{Variable: "ACCESS_CODE", Problem: fmt.Sprintf("has code %d, which %s", n, unfit(text)), Cure: cure})
		case utf8.RuneCountInString(text) < goodLength:
			log.Warn("auth: an access code is short and may be guessed: "+cure, "variable", "ACCESS_CODE", "code", n, "want_characters", goodLength)
		}
		codes = append(codes, Code{Text: auth.NewSecret(text), Label: fmt.Sprintf("access code %d", n)})
	}
	switch {
	case err != nil:
		return Config{}, err
	case len(codes) == 0:
		return Config{}, &envvar.Error{Variable: "ACCESS_CODE", Problem: "has no code in it", Cure: cure}
	case len(codes) == 1:
		codes[0].Label = ""
	}
	return Config{Codes: codes, Secrets: secrets}, nil
}
