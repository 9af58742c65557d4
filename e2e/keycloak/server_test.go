// Package keycloak_test signs people in at a real Keycloak, by HTTP and in a real
// browser, at a site that is configured by the environment alone.
package keycloak_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const adminPassword = "an-admin-password-for-tests-only"

// server is where Keycloak is. Every test makes realms of its own there.
var server string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e/keycloak:", err)
		code = 1
	}
	os.Exit(code)
}

// run starts Keycloak as e2e/setup has built it: with its database in memory.
func run(m *testing.M) (code int, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return 1, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 1, err
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	server = "http://127.0.0.1:" + port

	ctx, stop := context.WithCancel(context.Background())
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(cache, "sallyport", "keycloak-26.7.3", "bin", "kc.sh"), "start", "--optimized",
		"--http-enabled=true", "--hostname-strict=false", "--http-host=127.0.0.1", "--http-port="+port)
	cmd.Env = append(os.Environ(), "KC_BOOTSTRAP_ADMIN_USERNAME=admin", "KC_BOOTSTRAP_ADMIN_PASSWORD="+adminPassword, "JAVA_OPTS_APPEND=-Xmx384m")
	cmd.Stdout, cmd.Stderr = &output, &output
	// SIGTERM, which the script hands on: by SIGKILL, Java would outlive it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		stop()
		return 1, fmt.Errorf("%w (run e2e/setup)", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() { stop(); <-ended }()
	client := http.Client{Timeout: 5 * time.Second}
	for began := time.Now(); time.Since(began) < 4*time.Minute; {
		if resp, err := client.Get(server + "/realms/master/.well-known/openid-configuration"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return m.Run(), nil
			}
		}
		select {
		case err := <-ended:
			ended <- err
			return 1, fmt.Errorf("kc.sh ended: %v\n%s", err, output.String())
		case <-time.After(200 * time.Millisecond):
		}
	}
	return 1, fmt.Errorf("keycloak does not answer at %s", server)
}

// object is what the admin API takes and gives.
type object = map[string]any

// admin calls the admin API, and returns what it answers. An administrator's token
// lasts a minute, so that each call has a new one.
func admin(t *testing.T, method, path string, body any) []byte {
	t.Helper()
	resp, err := http.PostForm(server+"/realms/master/protocol/openid-connect/token", url.Values{
		"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {"admin"}, "password": {adminPassword}})
	require.NoError(t, err)
	defer resp.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&token))
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		require.NoError(t, err)
		sent = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, server+"/admin/realms"+path, sent)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token.AccessToken)
	req.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Less(t, answer.StatusCode, 300, "%s %s: %s", method, path, text)
	return text
}
