package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// TestDockerfile: the program has no rights and no shell beside it. That what it runs builds
// one is seen by .ci/run.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	var steps []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			steps = append(steps, line)
		}
	}
	require.Regexp(t, `^FROM golang:1\.26 AS build$`, steps[0])
	require.Regexp(t, `^FROM gcr\.io/distroless/static-[a-z0-9]+:nonroot$`, steps[4])
	require.Equal(t, []string{"COPY --from=build /gateway /gateway", "ENV HOST=0.0.0.0", "EXPOSE 3000", `ENTRYPOINT ["/gateway"]`}, steps[5:])

	module, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	require.Regexp(t, `(?m)^go 1\.26\.`, string(module), "the image has that Go")
	require.Regexp(t, `^RUN CGO_ENABLED=0 go build -C examples/gateway .*-o /gateway \.$`, steps[3])
}

// TestCompose: the files that it names are there, the variables are the gateway's, and nobody
// but the gateway reaches the application.
func TestCompose(t *testing.T) {
	text, err := os.ReadFile("compose.yaml")
	require.NoError(t, err)
	type service struct {
		Image       string
		Build       struct{ Context, Dockerfile string }
		Environment map[string]string
		Volumes     []string
		Networks    []string
		Ports       []string
		ReadOnly    bool `yaml:"read_only"`
	}
	var compose struct {
		Services map[string]service
		Networks map[string]struct{ Internal bool }
	}
	require.NoError(t, yaml.Unmarshal(text, &compose))
	gateway, application := compose.Services["gateway"], compose.Services["application"]
	require.FileExists(t, filepath.Join(gateway.Build.Context, gateway.Build.Dockerfile))
	require.FileExists(t, filepath.Join(gateway.Build.Context, gateway.Build.Dockerfile+".dockerignore"))
	require.True(t, gateway.ReadOnly)
	require.Equal(t, []string{"127.0.0.1:3000:3000"}, gateway.Ports)
	file, target, _ := strings.Cut(gateway.Volumes[0], ":")
	require.Equal(t, gateway.Environment["GATEWAY_RULES"]+":ro", target)
	_, err = readRules(file, routesOf("").own)
	require.NoError(t, err)
	known := map[string]bool{}
	for _, v := range variables {
		known[v.name] = true
	}
	for name := range gateway.Environment {
		require.True(t, known[name], name)
	}
	require.Equal(t, "http://application:80", gateway.Environment["UPSTREAM_URL"])
	require.Empty(t, application.Ports)
	require.Equal(t, []string{"inside"}, application.Networks)
	require.True(t, compose.Networks["inside"].Internal)
	require.Contains(t, string(text), "# image: lobehub/lobe-chat")
	require.FileExists(t, regexp.MustCompile(`examples/gateway/(testdata/\S+)`).FindStringSubmatch(string(text))[1])
}
