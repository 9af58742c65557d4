package pages_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/pages"
)

func TestEveryCodeHasWordsInEveryLanguage(t *testing.T) { // HD-04
	for _, l := range languages {
		titles, texts := map[string]fault.Code{}, map[string]fault.Code{}
		for _, code := range fault.Codes {
			p, ok := l.Problem(string(code))
			require.True(t, ok, "%s has no words in %s", code, l.Tag)
			require.NotEmpty(t, strings.TrimSpace(p.Title), code)
			require.NotEmpty(t, strings.TrimSpace(p.Text), code)
			require.NotContains(t, titles, p.Title, "%s and %s have one title", code, titles[p.Title])
			require.NotContains(t, texts, p.Text, "%s and %s say the same", code, texts[p.Text])
			titles[p.Title], texts[p.Text] = code, code
		}
	}
}

func TestNoWordsForWhatComesFromOutside(t *testing.T) { // HD-04, CB-01
	for _, l := range languages {
		for _, code := range []string{"", "default", "DEFAULT", "Default ", "<script>", "You won a prize"} {
			p, ok := l.Problem(code)
			require.False(t, ok, "%q", code)
			require.Zero(t, p)
		}
	}
}

// verbs are what fmt would take for one.
var verbs = regexp.MustCompile(`(?s)%.?`)

// TestEveryLanguageHasAllWords: no field of any language is empty, in English, or has
// other verbs than the English one.
func TestEveryLanguageHasAllWords(t *testing.T) {
	english, tags := reflect.ValueOf(languages[0].Words), map[string]bool{}
	for _, l := range languages {
		require.False(t, tags[l.Tag], "%s is there twice", l.Tag)
		tags[l.Tag] = true
		words, seen := reflect.ValueOf(l.Words), map[string]bool{}
		for i := range words.NumField() {
			text, name := words.Field(i).String(), words.Type().Field(i).Name
			require.NotEmpty(t, strings.TrimSpace(text), "%s in %s", name, l.Tag)
			require.Equal(t, strings.TrimSpace(text), text, "%s in %s", name, l.Tag)
			require.False(t, seen[text], "%s in %s says what another says", name, l.Tag)
			seen[text] = true
			require.Equal(t, verbs.FindAllString(english.Field(i).String(), -1), verbs.FindAllString(text, -1), "%s in %s", name, l.Tag)
			require.True(t, l == languages[0] || text != english.Field(i).String(), "%s in %s is English", name, l.Tag)
		}
		require.Len(t, l.Problems, len(fault.Codes), l.Tag)
	}
}

func TestMomentIsReadBack(t *testing.T) {
	at := time.Date(2026, 11, 7, 15, 4, 59, 0, time.FixedZone("", 3600))
	for tag, want := range map[string]string{
		"en": "7 November 2026, 14:04 UTC", "de": "07.11.2026, 14:04 UTC", "fr": "07/11/2026 à 14:04 UTC", "es": "07/11/2026, 14:04 UTC",
		"ja": "2026年11月7日 14:04 UTC", "zh": "2026年11月7日 14:04 UTC", "zh-TW": "2026年11月7日 14:04 UTC",
	} {
		require.Equal(t, want, pages.Match(tag).Moment(at), tag)
	}
}

func TestWaitIsNeverTooShort(t *testing.T) { // AC-01
	en, zh := languages[0], languages[1]
	const from = "Too many wrong access codes came from your network. "
	for wait, want := range map[time.Duration]string{
		0:                               "Try again in 2 seconds.",
		1:                               "Try again in 2 seconds.",
		time.Second:                     "Try again in 2 seconds.",
		time.Second + 1:                 "Try again in 2 seconds.",
		15 * time.Second:                "Try again in 15 seconds.",
		118*time.Second + 1:             "Try again in 119 seconds.",
		119 * time.Second:               "Try again in 119 seconds.",
		119*time.Second + 1:             "Try again in 2 minutes.",
		2 * time.Minute:                 "Try again in 2 minutes.",
		2*time.Minute + 1:               "Try again in 3 minutes.",
		time.Hour:                       "Try again in 60 minutes.",
		time.Hour + 59*time.Second + 99: "Try again in 61 minutes.",
	} {
		require.Equal(t, from+want, en.Wait(wait), wait.String())
	}
	require.Contains(t, zh.Wait(15*time.Second), " 15 秒")
	require.Contains(t, zh.Wait(15*time.Minute), " 15 分钟")
}

// TestNoPluralOfOne: "1 Sekunden" is wrong in most languages, and "1 secondes" in French.
func TestNoPluralOfOne(t *testing.T) {
	for _, l := range languages {
		for seconds := range 3 * 60 {
			number := regexp.MustCompile(`\d+`).FindString(l.Wait(time.Duration(seconds) * time.Second))
			require.NotContains(t, []string{"", "0", "1"}, number, "%s: %d s", l.Tag, seconds)
		}
	}
}
