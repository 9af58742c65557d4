// Package clerk authenticates the requests of a Go server with Clerk, as Clerk's
// own JavaScript back end, @clerk/backend, does.
//
// A [Backend] is one instance of Clerk. Package auth makes middleware of it:
//
//	c, err := clerk.New(clerk.Config{PublishableKey: pk, SecretKey: auth.NewSecret(sk)})
//	if err != nil {
//		log.Fatal(err) // every problem of the configuration at once
//	}
//	a, err := auth.New(auth.Config{Secrets: secrets, Backend: c})
//	if err != nil {
//		log.Fatal(err)
//	}
//	log.Fatal(http.ListenAndServe(":3000", a.Require(mux)))
//
// A handler finds the person with [auth.FromContext], and what Clerk's token says
// with [FromContext]. [FromEnv] reads the variables that a Clerk application has
// anyway.
//
// # What is decided
//
// Each request is one of three things: signed in; signed out, with a reason in
// Clerk's words; or a handshake, in which the browser is sent to Clerk and comes
// back with fresh cookies. [Backend.Decide] is the decision, and State its outcome.
//
//   - A token in the Authorization header counts, and no cookie then does.
//   - Otherwise the cookies __session and __client_uat count. Those that end with
//     the instance's suffix are preferred: several instances may share a domain.
//   - A token's signature is RS256, by one of the instance's keys. These are
//     fetched at first use and kept for five minutes, or fixed by [Config].JWTKey.
//   - Its issuer is this instance; its audience and its authorized party are among
//     those configured; and it is neither expired nor from the future, give or take
//     [Config].ClockSkew.
//   - A token whose time is over is refreshed, if the browser has a refresh token.
//     If not, a navigation is sent on a handshake, and nothing else is: a redirect
//     would lose a form's data, and break a script's fetch.
//   - A session with a task left, such as choosing an organization, does not count
//     yet, unless [Config].AcceptPending says so.
//
// [New] does no network I/O. Where Clerk's API has to be asked and does not answer,
// nothing is decided: Decide returns an error, and the middleware answers 503. Where a
// token that Clerk has just made does not count by the clock here, the error wraps
// [auth.ErrClock], and people read that a clock is wrong.
//
// # Programs
//
// API keys, machines' tokens and OAuth access tokens count where
// [Config].AcceptTokens names them, in the Authorization header only. The session's
// Provider is then [MachineName] and not [Name], its Machine is set, so that
// [auth.Identified] refuses it, and State.Machine says what the token may be used for.
//
// # Permissions
//
// [Claims.Has] answers what Clerk's has() does: roles, permissions, features, plans,
// and how recently the person proved who they are.
//
// # Webhooks
//
// [NewWebhook] is an endpoint for what Clerk tells of: people who are deleted,
// organizations that are renamed. It verifies the signature, and [Event.Value] decodes
// what most applications need.
//
// # What it does not protect from
//
// A session that is revoked at Clerk ends here with the token that the browser has:
// after up to a minute, or the lifetime that the instance gives to tokens. Only
// tokens that are no JWTs are asked about at each request.
//
// Whoever has a token can use it until it expires (RFC 6750 5.3). Scripts of the
// page can read Clerk's cookie __session, so that a script that does not belong
// there can too.
//
// Without [Config].AuthorizedParties any origin's tokens count, and so do those
// from a subdomain that somebody else controls.
//
// Whoever follows a stranger's link with a handshake in it is signed in as the
// stranger for a minute, as with Clerk's own SDKs. What strangers make up, handshakes
// and tokens that only Clerk can read, costs a call of Clerk's API each, bounded for
// each client; what is beyond that does not count.
//
// A form on another site may post to the application with Clerk's cookies, as far
// as the browser sends these along; [net/http.CrossOriginProtection] refuses that.
//
// What people and programs may do is the application's business. In particular,
// [Config].OrganizationPaths asks Clerk to switch organizations, and guards
// nothing; and nobody but the application looks at Machine.Scopes.
//
// # Testing with clerktest
//
// Package clerktest is an instance of Clerk that runs within a test. It makes
// tokens, and answers as Clerk's Backend API:
//
//	instance := clerktest.New(clerktest.Config{Production: true})
//	api := httptest.NewServer(instance)
//	c, err := clerk.New(clerk.Config{
//		PublishableKey: instance.PublishableKey,
//		SecretKey:      auth.NewSecret(instance.SecretKey),
//		APIURL:         api.URL,
//	})
//	request.Header.Set("Authorization", "Bearer "+instance.Token(nil))
//
// # Compatibility
//
// The reference is @clerk/backend 3.25.0 with version 2026-05-12 of Clerk's API.
// Its answers to more than a thousand requests are kept under testdata, and are those
// of this package, but for the ones that are marked there, with the reason: each is
// stricter here. docs/clerk.md lists all that differs.
package clerk
