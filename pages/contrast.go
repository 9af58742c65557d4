package pages

import (
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"math"
	"regexp"
)

// color is red, green and blue.
type color [3]byte

var (
	black, white = color{}, color{255, 255, 255}

	// What the pages' text stands on: --card of style.css, in light and in dark mode.
	lightCard, darkCard = white, color{0x19, 0x1d, 0x23}
)

// The least contrasts of WCAG 2.2, level AA.
const (
	textContrast = 4.5 // 1.4.3, of text
	edgeContrast = 3.0 // 1.4.11, of what a button is known by
)

var hexColor = regexp.MustCompile(`^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`)

// parseColor takes CSS's hexadecimal notations without transparency and no other: what is
// parsed goes into a style sheet.
func parseColor(text string) (c color, err error) {
	if !hexColor.MatchString(text) {
		return c, errors.New("want a colour such as #1f5fbf or #fff")
	}
	digits := text[1:]
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	_, err = hex.Decode(c[:], []byte(digits))
	return c, err
}

func (c color) String() string { return "#" + hex.EncodeToString(c[:]) }

// luminance is relative, 0 for black and 1 for white: WCAG 2.2, Terms.
func (c color) luminance() float64 {
	var linear [3]float64
	for i, v := range c {
		if s := float64(v) / 255; s <= 0.04045 {
			linear[i] = s / 12.92
		} else {
			linear[i] = math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*linear[0] + 0.7152*linear[1] + 0.0722*linear[2]
}

// contrast is 1 to 21: WCAG 2.2, Terms.
func contrast(a, b color) float64 {
	brighter, darker := a.luminance(), b.luminance()
	if brighter < darker {
		brighter, darker = darker, brighter
	}
	return (brighter + 0.05) / (darker + 0.05)
}

// textOn is black or white. One of the two has a contrast of 4.58 or more to any colour.
func textOn(c color) color {
	if contrast(black, c) > contrast(white, c) {
		return black
	}
	return white
}

// colors are what changes in [Style].
func (b Brand) colors() template.CSS {
	light, err := parseColor(b.Color)
	if err != nil {
		return ""
	}
	dark, err := parseColor(b.DarkColor)
	if err != nil {
		dark = light
	}
	return template.CSS("\n" + light.rule(lightCard) + "\n@media (prefers-color-scheme:dark){" + dark.rule(darkCard) + "}") // #nosec G203 -- hexadecimal digits
}

// rule has c be the accent on card. As the colour of a link, and of what tells a button
// from the page, it serves where it can be seen there.
func (c color) rule(card color) string {
	link, edge := "var(--text)", "var(--quiet)"
	if contrast(c, card) >= textContrast {
		link = "var(--accent)"
	}
	if contrast(c, card) >= edgeContrast {
		edge = "var(--accent)"
	}
	return fmt.Sprintf(":root{--accent:%s;--on-accent:%s;--link:%s;--edge:%s}", c, textOn(c), link, edge)
}
