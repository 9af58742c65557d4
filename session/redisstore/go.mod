module github.com/sallyport/auth/session/redisstore

// The two newest releases of Go, as the main module.
go 1.25.0

replace github.com/sallyport/auth => ../..

require github.com/redis/go-redis/v9 v9.22.0

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/yuin/gopher-lua v1.1.1 // indirect
	go.uber.org/atomic v1.11.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.30.0 // indirect
)

// Test dependencies.
require (
	github.com/alicebob/miniredis/v2 v2.40.0
	github.com/sallyport/auth v0.0.0
	github.com/stretchr/testify v1.12.1
)
