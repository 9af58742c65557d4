package pages

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// about puts name into phrase, where that has %s. Between a Chinese or Japanese word of
// phrase and a name in another script there is a space, and between two such words none.
func (l *Language) about(phrase, name string) string {
	before, after, _ := strings.Cut(phrase, "%s")
	last, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	first, _ := utf8.DecodeRuneInString(name)
	end, _ := utf8.DecodeLastRuneInString(name)
	if apart(last, first) {
		before += " "
	}
	if apart(next, end) {
		after = " " + after
	}
	return before + l.isolate(name) + after
}

// apart reports whether a space is to be between a rune of a phrase and one of a name.
func apart(phrase, name rune) bool {
	return wide(phrase) && unicode.IsLetter(phrase) && !wide(name) && !unicode.IsSpace(name)
}

// wide reports whether r is written in the square of a Chinese character, as the
// punctuation and the letters are that go with those.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r >= 0x3000 && r <= 0x30ff || r >= 0xff00 && r <= 0xffef
}

// The Unicode controls that do what <bdi> does, where a text has no markup: UAX 9.
const firstStrongIsolate, popDirectionalIsolate = "\u2068", "\u2069"

// isolate keeps name and what is around it from changing each other's order, where one of
// the two runs from right to left.
func (l *Language) isolate(name string) string {
	if l.RightToLeft() || strings.ContainsFunc(name, func(r rune) bool { return unicode.In(r, rightToLeft...) }) {
		return firstStrongIsolate + name + popDirectionalIsolate
	}
	return name
}

// rightToLeft are the scripts of that direction in use, and what overrides a direction.
var rightToLeft = []*unicode.RangeTable{
	unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Adlam, unicode.Hanifi_Rohingya, unicode.Bidi_Control,
}

// rightToLeftTags are subtags of languages that are written in one of those, unless their
// tag names another script, and of the scripts.
var rightToLeftTags = map[string]bool{
	"ar": true, "arc": true, "ckb": true, "dv": true, "fa": true, "he": true, "iw": true, "ks": true, "nqo": true, "ps": true,
	"sd": true, "syr": true, "ug": true, "ur": true, "yi": true,
	"adlm": true, "arab": true, "hebr": true, "nkoo": true, "rohg": true, "syrc": true, "thaa": true,
}

// RightToLeft reports whether l is written from right to left: Arabic and Hebrew are.
func (l *Language) RightToLeft() bool {
	subtags := strings.Split(strings.ToLower(l.Tag), "-")
	if len(subtags) > 1 && len(subtags[1]) == 4 {
		return rightToLeftTags[subtags[1]]
	}
	return rightToLeftTags[subtags[0]]
}
