module github.com/sallyport/auth

// Sallyport supports the two newest releases of Go.
go 1.25.0

require (
	github.com/clerk/clerk-sdk-go/v2 v2.7.0
	github.com/coreos/go-oidc/v3 v3.21.0
	github.com/go-jose/go-jose/v4 v4.1.9
	github.com/stretchr/testify v1.12.1
	golang.org/x/oauth2 v0.36.0
)

require (
	github.com/go-jose/go-jose/v3 v3.0.5 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.43.0 // indirect
)
