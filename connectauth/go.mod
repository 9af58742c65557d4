module github.com/sallyport/auth/connectauth

// That of connectrpc.com/connect.
go 1.26.0

replace github.com/sallyport/auth => ..

require (
	connectrpc.com/connect v1.21.1
	github.com/sallyport/auth v0.0.0
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/oauth2 v0.36.0 // indirect
)

// Test dependencies.
require (
	github.com/stretchr/testify v1.12.1
	google.golang.org/protobuf v1.36.12
)
