package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// files keeps each session in a file of one directory: its expiry, a line break, and
// the data. What is in a file is sealed; its name is a key that can be logged.
type files string

// Find implements [session.Store].
func (dir files) Find(_ context.Context, key string) ([]byte, bool, error) {
	raw, err := os.ReadFile(filepath.Join(string(dir), key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	expiry, data, _ := strings.Cut(string(raw), "\n")
	nanos, err := strconv.ParseInt(expiry, 10, 64)
	if err != nil || !time.Now().Before(time.Unix(0, nanos)) {
		return nil, false, err
	}
	return []byte(data), true, nil
}

// Commit implements [session.Store]. A file is renamed into its place, so that a reader
// sees the old one or the new one.
func (dir files) Commit(_ context.Context, key string, data []byte, expiry time.Time) error {
	f, err := os.CreateTemp(string(dir), "new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append([]byte(strconv.FormatInt(expiry.UnixNano(), 10)+"\n"), data...))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(string(dir), key))
	}
	return err
}

// Delete implements [session.Store].
func (dir files) Delete(_ context.Context, key string) error {
	if err := os.Remove(filepath.Join(string(dir), key)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
