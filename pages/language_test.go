package pages_test

import (
	"reflect"
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

func TestEveryLanguageHasAllWords(t *testing.T) {
	for _, l := range languages {
		words := reflect.ValueOf(l.Words)
		seen := map[string]bool{}
		for i := range words.NumField() {
			text, name := words.Field(i).String(), words.Type().Field(i).Name
			require.NotEmpty(t, text, "%s in %s", name, l.Tag)
			require.False(t, seen[text], "%s in %s says what another says", name, l.Tag)
			seen[text] = true
		}
		require.Contains(t, l.ContinueWith("GitHub & Co."), "GitHub & Co.")
		require.NotContains(t, l.ContinueWith("GitHub"), "%")
	}
	require.NotEqual(t, languages[0].Tag, languages[1].Tag)
}

func TestWaitIsNeverTooShort(t *testing.T) { // AC-01
	en, zh := languages[0], languages[1]
	const from = "Too many wrong access codes came from your network. "
	for wait, want := range map[time.Duration]string{
		1:                               "Try again in 1 seconds.",
		time.Second:                     "Try again in 1 seconds.",
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

func TestMatch(t *testing.T) {
	long := strings.Repeat(" ", 1022) + "zh"
	for header, want := range map[string]string{
		"":                          "en",
		"en":                        "en",
		"zh":                        "zh-CN",
		"ZH-tw":                     "zh-CN",
		"zh-Hans-CN":                "zh-CN",
		"zhx":                       "en",
		"zh-TW,zh;q=0.9,en;q=0.8":   "zh-CN",
		"en-GB,zh;q=0.9":            "en",
		"en-GB;q=0.8,zh;q=0.9":      "zh-CN",
		"fr,zh;q=0.5":               "zh-CN",
		"fr":                        "en",
		"*":                         "en",
		"en;q=0.5,zh;q=0.5":         "en",
		"zh;q=0.5,en;q=0.5":         "zh-CN", // of two that are liked as much, the first
		"zh;q=0,en":                 "en",
		"zh;q=0":                    "en",
		"zh;q=-1":                   "en",
		"zh;q=x":                    "en",
		"zh;q=":                     "en",
		"en,zh;q=1e400":             "en",
		"zh; q=0.7 , en; q=0.3":     "zh-CN",
		"zh;level=1":                "zh-CN",
		"en;q=NaN,zh;q=0.1":         "zh-CN",
		"zh;q=NaN":                  "en",
		";,;=,q=1":                  "en",
		"\xff\xfe,zh":               "zh-CN",
		long:                        "zh-CN", // 1 KiB
		long + " ":                  "en",    // and a byte
		strings.Repeat("zh,", 1000): "en",
	} {
		require.Equal(t, want, pages.Match(header).Tag, "%.60q", header)
	}
}

func FuzzMatch(f *testing.F) {
	for _, seed := range []string{"", "zh-TW,zh;q=0.9,en;q=0.8", "zh;q=NaN", ";,", "*;q=1e400"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if l := pages.Match(header); l != languages[0] && l != languages[1] {
			t.Errorf("%q: no language", header)
		}
	})
}
