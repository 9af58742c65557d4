package looks_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const images = "../../docs/images"

// TestPictures: those of the documentation are small. With -update it makes them.
func TestPictures(t *testing.T) {
	if *update {
		browse(t, "../browser/pictures.mjs", serve(t), branded(t), images)
	}
	for _, name := range []string{"sign-in.png", "branded.png"} {
		info, err := os.Stat(filepath.Join(images, name))
		require.NoError(t, err)
		require.Less(t, info.Size(), int64(60<<10), name)
	}
}

// branded is the address of examples/branded, which runs until t ends.
func branded(t *testing.T) string {
	program := filepath.Join(t.TempDir(), "branded")
	out, err := exec.Command("go", "build", "-C", "../..", "-o", program, "./examples/branded").CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "PORT=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(said).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimPrefix(strings.TrimSpace(line), "Open ")
}
