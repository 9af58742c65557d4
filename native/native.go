// Package native signs people in to programs that run on their own machine: on a command
// line, or in a window. It takes the providers of this module, and has two ways:
//
//   - [Loopback] opens the person's browser, and waits on a loopback port for it to come
//     back (RFC 8252 7.3).
//   - [Device] shows an address and a code, for a browser anywhere else (RFC 8628): over
//     SSH, say, or on a machine without a screen.
//
// Both return the identity, with the provider's tokens in its Token. There is no session:
// what the program keeps, and where, is its own decision. Tokens belong into the system's
// keychain, or into a file that the person alone can read.
//
// # Which client to register
//
// What a program holds that people can download is no secret: RFC 8252 8.5. Register it
// as a public or native client, with [oidc.ClientAuthNone]; PKCE protects the code. Some
// providers hand out a secret for such clients all the same, which they know to be none.
//
// # What it does not protect from
//
// Another program that runs as the same person can read their files, and can listen on a
// port of the same machine. Of the device flow, the person has to know that they began
// it: whoever sends somebody the code of a sign-in of their own is signed in as them (RFC
// 8628 5.4).
//
// [oidc.ClientAuthNone]: https://pkg.go.dev/github.com/sallyport/auth/providers/oidc#ClientAuthNone
package native
