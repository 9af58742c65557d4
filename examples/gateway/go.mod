module github.com/sallyport/auth/examples/gateway

// The two newest releases of Go, as the main module.
go 1.25.0

replace github.com/sallyport/auth => ../..

require github.com/sallyport/auth v0.0.0

require (
	github.com/clerk/clerk-sdk-go/v2 v2.7.0 // indirect
	github.com/coreos/go-oidc/v3 v3.21.0 // indirect
	github.com/go-jose/go-jose/v3 v3.0.5 // indirect
	github.com/go-jose/go-jose/v4 v4.1.9 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.43.0 // indirect
	golang.org/x/oauth2 v0.36.0 // indirect
)

// Test dependencies.
require github.com/stretchr/testify v1.12.1
