package pages

import (
	"bytes"
	"encoding/xml"
	"errors"
	"net/http"
)

// maxLogo bounds a logo that is embedded, in bytes.
const maxLogo = 64 << 10

// logoType is the media type of picture, by what it begins with.
func logoType(picture []byte) (string, error) {
	if len(picture) > maxLogo {
		return "", errors.New("it is larger than 64 KiB")
	}
	switch kind := http.DetectContentType(picture); {
	case kind == "image/png" || kind == "image/jpeg" || kind == "image/gif" || kind == "image/webp":
		return kind, nil
	case isSVG(picture):
		return "image/svg+xml", nil
	}
	return "", errors.New("it is no PNG, JPEG, GIF, WebP or SVG")
}

// isSVG reports whether the root of text, as XML, is a drawing's. What is in it runs
// nothing where it is shown as a picture (SVG 2, secure static mode).
func isSVG(text []byte) bool {
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.Token()
		if err != nil {
			return false
		}
		if root, ok := token.(xml.StartElement); ok {
			return root.Name == xml.Name{Space: "http://www.w3.org/2000/svg", Local: "svg"}
		}
	}
}
