package providertest_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// spoilt is a good provider, but for what a test replaces.
type spoilt struct {
	auth.Provider
	x        providertest.Target
	name     string
	address  func(string, error, auth.Transaction) (string, error)
	exchange func(p auth.Provider, tx auth.Transaction, response url.Values) (*auth.Identity, error)
	shown    string
}

func (s *spoilt) Name() string {
	if s.name != "" {
		return s.name
	}
	return s.Provider.Name()
}

func (s *spoilt) AuthCodeURL(ctx context.Context, tx auth.Transaction) (string, error) {
	address, err := s.Provider.AuthCodeURL(ctx, tx)
	if s.address != nil {
		return s.address(address, err, tx)
	}
	return address, err
}

func (s *spoilt) Exchange(ctx context.Context, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
	if s.exchange != nil {
		return s.exchange(s.Provider, tx, response)
	}
	return s.Provider.Exchange(ctx, tx, response)
}

func good(x providertest.Target) (*spoilt, error) {
	p, err := oidc.New(oidc.Config{Name: "good", Issuer: x.Base, ClientID: x.ClientID, ClientSecret: x.ClientSecret, HTTPClient: x.HTTPClient})
	return &spoilt{Provider: p, x: x}, err
}

// TestKitFinds: each violation by its words, and no violation of a provider without.
func TestKitFinds(t *testing.T) {
	// after lets the provider do its work, and changes what comes of it.
	after := func(change func(*auth.Identity, error) (*auth.Identity, error)) func(*spoilt) {
		return func(s *spoilt) {
			s.exchange = func(p auth.Provider, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
				return change(p.Exchange(context.Background(), tx, response))
			}
		}
	}
	identity := func(change func(*auth.Identity)) func(*spoilt) {
		return after(func(id *auth.Identity, err error) (*auth.Identity, error) {
			if err == nil {
				change(id)
			}
			return id, err
		})
	}
	address := func(change func(address string, tx auth.Transaction) string) func(*spoilt) {
		return func(s *spoilt) {
			s.address = func(address string, err error, tx auth.Transaction) (string, error) { return change(address, tx), err }
		}
	}
	// forgiving redeems the code whatever else the answer says.
	forgiving := func(s *spoilt) {
		s.exchange = func(p auth.Provider, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
			one := url.Values{"code": {"x"}, "iss": {s.x.Base}}
			if code := response.Get("code"); code != "" {
				one.Set("code", code)
			}
			return p.Exchange(context.Background(), tx, one)
		}
	}
	visits := 0
	for want, spoil := range map[string]func(*spoilt){
		"":                  func(*spoilt) {},
		`Name is "Good"`:    func(s *spoilt) { s.name = "Good" },
		`Name is "a--b"`:    func(s *spoilt) { s.name = "a--b" },
		"New calls the net": func(s *spoilt) { _, _ = http.Get(s.x.Base + "/.well-known/openid-configuration") },
		"AuthCodeURL fails": func(s *spoilt) {
			s.address = func(string, error, auth.Transaction) (string, error) { return "", errors.New("odd") }
		},
		"ada cannot sign in:":                             after(func(*auth.Identity, error) (*auth.Identity, error) { return nil, errors.New("odd") }),
		"AuthCodeURL is no U":                             address(func(string, auth.Transaction) string { return "http://[" }),
		"AuthCodeURL has stat":                            address(func(a string, _ auth.Transaction) string { return a + "&state=evil" }),
		"AuthCodeURL has nonc":                            address(func(a string, _ auth.Transaction) string { return strings.ReplaceAll(a, "nonce=", "other=") }),
		"AuthCodeURL has code":                            address(func(a string, _ auth.Transaction) string { return strings.ReplaceAll(a, "S256", "plain") }),
		"AuthCodeURL shows a ":                            address(func(a string, tx auth.Transaction) string { return a + "&v=" + tx.Verifier }),
		"a second time":                                   identityOnce(&visits),
		"the subject changes ":                            identity(func(id *auth.Identity) { id.Subject = rand.Text() }),
		"the subject changes":                             identity(func(id *auth.Identity) { id.Issuer = rand.Text() }),
		"two people have the ":                            identity(func(id *auth.Identity) { id.Subject = "somebody" }),
		`has issuer ""`:                                   identity(func(id *auth.Identity) { id.Issuer = "" }),
		`and subject ""`:                                  identity(func(id *auth.Identity) { id.Subject = "" }),
		`and subject "xxx`:                                identity(func(id *auth.Identity) { id.Subject = strings.Repeat("x", 256) }),
		"lin's address counts":                            identity(func(id *auth.Identity) { id.EmailVerified = true }),
		"a callback with an error beside a code signs in": forgiving,
		"a callback with an error beside a code makes the code be red": forgiving,
		"a callback with another issuer (RFC 9207 2.4) signs in":       forgiving,
		"a callback with two codes signs in":                           forgiving,
		"a callback with two issuers signs in":                         forgiving,
		"a callback with no code makes the code be redeemed":           forgiving,
		"a callback with an empty code makes the code be redeemed":     forgiving,
		"access_denied gives": after(func(id *auth.Identity, err error) (*auth.Identity, error) {
			if errors.Is(err, auth.ErrDeclined) {
				err = auth.ErrInvalidResponse
			}
			return id, err
		}),
		"a callback with no code signs in": anybody,
		"an ID token with another nonce":   anybody,
		"an ID token with no nonce":        anybody,
		"an ID token with another aud":     anybody,
		"an ID token with another iss":     anybody,
		"an ID token with no subject":      anybody,
		"an ID token with an expiry":       anybody,
		"an ID token with another azp":     anybody,
		"an ID token with an unknown":      anybody,
		"an ID token with a wrong at_":     anybody,
		"an ID token with an issue da":     anybody,
		"an ID token without a signat": func(s *spoilt) {
			s.exchange = func(p auth.Provider, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
				id, err := p.Exchange(context.Background(), tx, response)
				if err != nil && strings.Contains(err.Error(), "it is not signed") {
					return &auth.Identity{Issuer: s.x.Base, Subject: "ada"}, nil
				}
				return id, err
			}
		},
		"a callback with an error signs in": func(s *spoilt) {
			s.exchange = func(p auth.Provider, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
				if response.Has("error") && !response.Has("code") {
					return &auth.Identity{Issuer: s.x.Base, Subject: "ada"}, nil
				}
				return p.Exchange(context.Background(), tx, response)
			}
		},
		"a token endpoint that is down gives odd": after(func(id *auth.Identity, err error) (*auth.Identity, error) {
			if errors.Is(err, auth.ErrUnavailable) {
				err = errors.New("odd")
			}
			return id, err
		}),
		"the error shows what the token endpoint answered": func(s *spoilt) {
			s.exchange = func(p auth.Provider, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
				id, err := p.Exchange(context.Background(), tx, response)
				if errors.Is(err, auth.ErrUnavailable) {
					if resp, e := http.PostForm(s.x.Base+"/token", response); e == nil {
						body, _ := io.ReadAll(resp.Body)
						resp.Body.Close()
						err = fmt.Errorf("%w: %s", err, body)
					}
				}
				return id, err
			}
		},
		"gets the code 2 times, want once": func(s *spoilt) {
			s.exchange = func(p auth.Provider, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
				id, err := p.Exchange(context.Background(), tx, response)
				if errors.Is(err, auth.ErrUnavailable) {
					return p.Exchange(context.Background(), tx, response)
				}
				return id, err
			}
		},
		"follow a redirect of the token endpoint": func(s *spoilt) {
			s.exchange = func(p auth.Provider, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
				id, err := p.Exchange(context.Background(), tx, response)
				if errors.Is(err, auth.ErrUnavailable) {
					if resp, err := http.PostForm(s.x.Base+"/token", response); err == nil {
						_, _ = io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
				}
				return id, err
			}
		},
		"%v shows the client secret":  func(s *spoilt) { s.shown = s.x.ClientSecret.Reveal() },
		"%+v shows the client secret": func(s *spoilt) { s.shown = s.x.ClientSecret.Reveal() },
		"%#v shows the client secret": func(s *spoilt) { s.shown = s.x.ClientSecret.Reveal() },
	} {
		t.Run(want, func(t *testing.T) {
			err := providertest.Kit{}.Check(func(x providertest.Target) (auth.Provider, error) {
				s, err := good(x)
				spoil(s)
				return s, err
			})
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "providertest: ")
			require.ErrorContains(t, err, want)
		})
	}
	err := providertest.Kit{}.Check(func(providertest.Target) (auth.Provider, error) { return nil, errors.New("odd") })
	require.EqualError(t, err, "the provider cannot be made: odd")
}

// TestKitLetsPass what is at a limit.
func TestKitLetsPass(t *testing.T) {
	err := providertest.Kit{}.Check(func(x providertest.Target) (auth.Provider, error) {
		s, err := good(x)
		s.exchange = func(p auth.Provider, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
			id, err := p.Exchange(context.Background(), tx, response)
			if err == nil {
				id.Subject += strings.Repeat("x", 255-len(id.Subject))
			}
			return id, err
		}
		return s, err
	})
	require.NoError(t, err)
	one := providertest.Kit{People: []providertest.Person{{Subject: "ada", Name: "Ada"}}}
	require.NoError(t, one.Check(func(x providertest.Target) (auth.Provider, error) { return good(x) }))
	err = providertest.Kit{TrailingSlash: true}.Check(func(x providertest.Target) (auth.Provider, error) {
		require.True(t, strings.HasSuffix(x.Base, "/"))
		return good(x)
	})
	require.NoError(t, err)
}

// identityOnce signs nobody in twice.
func identityOnce(visits *int) func(*spoilt) {
	return func(s *spoilt) {
		s.exchange = func(p auth.Provider, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
			if *visits++; *visits%2 == 0 {
				return nil, errors.New("odd")
			}
			return p.Exchange(context.Background(), tx, response)
		}
	}
}

// anybody signs in, whatever the provider finds out.
func anybody(s *spoilt) {
	s.exchange = func(p auth.Provider, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
		id, err := p.Exchange(context.Background(), tx, response)
		if err != nil {
			return &auth.Identity{Issuer: s.x.Base, Subject: rand.Text()}, nil
		}
		return id, nil
	}
}

func TestSignInFails(t *testing.T) {
	idp := providertest.NewServer(providertest.Config{Clients: []providertest.Client{{ID: "app", Secret: "s"}}})
	defer idp.Close()
	s, err := good(providertest.Target{Base: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("s")})
	require.NoError(t, err)
	_, err = providertest.SignIn(s, nil)
	require.ErrorIs(t, err, auth.ErrDeclined, "there is nobody")
	odd := errors.New("odd")
	for address, want := range map[string]string{idp.Issuer() + "/keys": "the authorization endpoint answers 200 OK", "http://[": "missing ']'", "": "odd"} {
		s.address = func(string, error, auth.Transaction) (string, error) {
			if address == "" {
				return "", odd
			}
			return address, nil
		}
		_, err := providertest.SignIn(s, nil)
		require.ErrorContains(t, err, want)
		require.Equal(t, address == "", errors.Is(err, odd))
	}
}

// failing is a test that takes note of its failure.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Helper()      {}
func (f *failing) Error(...any) { f.failed = true }

func TestKitFailsTheTest(t *testing.T) {
	for _, name := range []string{"Bad", ""} {
		f := &failing{TB: t}
		providertest.Kit{}.TestProvider(f, func(x providertest.Target) (auth.Provider, error) {
			s, err := good(x)
			s.name = name
			return s, err
		})
		require.Equal(t, name != "", f.failed)
	}
}
