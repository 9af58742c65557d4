package otelauth

// Template is what is shown of a path.
func Template(path string) string { return template(path) }

// Word reports whether a segment of a path is shown as it is.
func Word(segment string) bool { return words[segment] }
