package pages_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/pages"
)

func TestMatch(t *testing.T) {
	long := strings.Repeat(" ", 1022) + "zh"
	for header, want := range map[string]string{
		"":                          "en",
		"en":                        "en",
		"zh":                        "zh-Hans",
		"ZH-tw":                     "zh-Hant",
		"zh-Hans-CN":                "zh-Hans",
		"zhx":                       "en",
		"zh-TW,zh;q=0.9,en;q=0.8":   "zh-Hant",
		"en-GB,zh;q=0.9":            "en",
		"en-GB;q=0.8,zh;q=0.9":      "zh-Hans",
		"fr,zh;q=0.5":               "fr",
		"pt":                        "en",
		"pt,zh;q=0.5":               "zh-Hans",
		"*":                         "en",
		"en;q=0.5,zh;q=0.5":         "en",
		"zh;q=0.5,en;q=0.5":         "zh-Hans", // of two that are liked as much, the first
		"zh;q=0,en":                 "en",
		"zh;q=0":                    "en",
		"zh;q=-1":                   "en",
		"zh;q=x":                    "en",
		"zh;q=":                     "en",
		"en,zh;q=1e400":             "en",
		"zh; q=0.7 , en; q=0.3":     "zh-Hans",
		"zh;level=1":                "zh-Hans",
		"en;q=NaN,zh;q=0.1":         "zh-Hans",
		"zh;q=NaN":                  "en",
		";,;=,q=1":                  "en",
		"\xff\xfe,zh":               "zh-Hans",
		long:                        "zh-Hans", // 1 KiB
		long + " ":                  "en",      // and a byte
		strings.Repeat("zh,", 1000): "en",
		strings.Repeat("-", 1024):   "en",
	} {
		require.Equal(t, want, pages.Match(header).Tag, "%.60q", header)
	}
}

func FuzzMatch(f *testing.F) {
	for _, seed := range []string{"", "zh-TW,zh;q=0.9,en;q=0.8", "zh;q=NaN", ";,", "*;q=1e400"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if !slices.Contains(languages, pages.Match(header)) {
			t.Errorf("%q: no language", header)
		}
	})
}

func TestMatchKnowsVariants(t *testing.T) {
	for want, tags := range map[string]string{
		"zh-Hant": "zh-TW zh-HK zh-MO zh-Hant zh-hant-CN zh-Hant-TW zh-TW-x-a",
		"zh-Hans": "zh zh-CN zh-SG zh-MY zh-Hans zh-Hans-HK zh-TWx",
		"en":      "en en-US en-GB pt pt-BR ko ar ger jpn esx e - de_AT",
		"de":      "de de-AT de-CH de-DE-1996", "fr": "fr fr-CA FR-fr", "es": "es es-MX es-419", "ja": "ja ja-JP",
	} {
		for tag := range strings.FieldsSeq(tags) {
			require.Equal(t, want, pages.Match(tag).Tag, tag)
		}
	}
}

func TestAddedLanguage(t *testing.T) {
	s, err := pages.NewLanguages(
		pages.Language{Tag: "pt-BR", Words: pages.Words{SignIn: "Entrar", ContinueWith: "Entrar com %s"}, Problems: map[pages.Code]pages.Problem{"NotFound": {Title: "Página não encontrada"}}},
		pages.Language{Tag: "de-CH", Words: pages.Words{SignOut: "Adieu"}},
		pages.Language{Tag: "zh-HK", Words: pages.Words{Help: "幫助"}},
	)
	require.NoError(t, err)
	for header, want := range map[string]string{
		"pt-BR": "pt-BR", "pt": "pt-BR", "pt-PT,en;q=0.5": "pt-BR", "en,pt": "en", "de-CH": "de-CH", "de": "de", "de-AT": "de",
		"zh-HK": "zh-HK", "zh-TW": "zh-Hant", "zh": "zh-Hans", "": "en", "ko": "en",
	} {
		require.Equal(t, want, s.Match(header).Tag, header)
	}
	pt, en, de := s.Match("pt"), pages.Match("en"), pages.Match("de")
	require.Equal(t, "Entrar", pt.Words.SignIn)
	require.Equal(t, "Entrar com GitHub", pt.ContinueWith("GitHub"))
	require.Equal(t, en.Words.SignOut, pt.Words.SignOut, "what is missing is English")
	require.Equal(t, pages.Problem{Title: "Página não encontrada", Text: en.Problems["NotFound"].Text}, pt.Problems["NotFound"])
	require.Equal(t, en.Problems["Default"], pt.Problems["Default"])
	require.Equal(t, "Adieu", s.Match("de-CH").Words.SignOut)
	require.Equal(t, de.Words.SignIn, s.Match("de-CH").Words.SignIn, "what a variant lacks is its language's")
	require.Equal(t, pages.Match("zh-TW").Words.SignIn, s.Match("zh-HK").Words.SignIn)
	require.NotEqual(t, pt.Problems["NotFound"], en.Problems["NotFound"], "those of the package stay as they are")
}

func TestChangedWords(t *testing.T) {
	s, err := pages.NewLanguages(
		pages.Language{Tag: "EN", Words: pages.Words{SignIn: "Log in"}, Problems: map[pages.Code]pages.Problem{"SignedOut": {Text: "Bye."}}},
		pages.Language{Tag: "zh-Hant", Words: pages.Words{SignIn: "進入"}},
		pages.Language{Tag: "pt"},
	)
	require.NoError(t, err)
	require.Equal(t, "Log in", s.Match("").Words.SignIn)
	require.Equal(t, "en", s.Match("en-GB").Tag)
	require.Equal(t, "Sign out", s.Match("en").Words.SignOut)
	require.Equal(t, pages.Problem{Title: "You are signed out", Text: "Bye."}, s.Match("en").Problems["SignedOut"])
	require.Equal(t, "進入", s.Match("zh-HK").Words.SignIn)
	require.Equal(t, "登录", s.Match("zh").Words.SignIn)
	require.Equal(t, "Log in", s.Match("pt").Words.SignIn)
	require.Equal(t, "Sign in", pages.Match("en").Words.SignIn, "those of the package stay as they are")
	require.NotEqual(t, "Bye.", pages.Match("en").Problems["SignedOut"].Text)
}

func TestLanguagesThatAreNone(t *testing.T) {
	for _, tag := range []string{"", "e", "english", "pt_BR", "pt-", "-pt", "pt-BR-", "*", "pt\n", `pt" onload="`, "x-pt", "pt-x-a", "pt-" + strings.Repeat("abcdefgh-", 9) + "abcdefgh"} {
		_, err := pages.NewLanguages(pages.Language{Tag: tag})
		require.ErrorContains(t, err, "is no language tag", "%q", tag)
	}
	for name, x := range map[string]struct {
		language pages.Language
		want     string
	}{
		"no name":         {pages.Language{Tag: "pt", Words: pages.Words{ContinueWith: "Entrar"}}, "pt: Words.ContinueWith wants %s once"},
		"two names":       {pages.Language{Tag: "pt", Words: pages.Words{SignInTo: "%s %s"}}, "Words.SignInTo"},
		"another verb":    {pages.Language{Tag: "pt", Words: pages.Words{Seconds: "%s"}}, "Words.Seconds wants %d once"},
		"a verb too many": {pages.Language{Tag: "pt", Words: pages.Words{Minutes: "%d 100 %"}}, "Words.Minutes"},
		"no such problem": {pages.Language{Tag: "pt", Problems: map[pages.Code]pages.Problem{"Notfound": {}}}, `"Notfound": want one of [AccessDenied `},
	} {
		_, err := pages.NewLanguages(x.language)
		require.ErrorContains(t, err, x.want, name)
	}
	_, err := pages.NewLanguages(pages.Language{Tag: "pt"}, pages.Language{Tag: "_"}, pages.Language{Tag: "PT"})
	require.ErrorContains(t, err, `"_" is no language tag`)
	require.ErrorContains(t, err, `"PT" is there twice`)
	_, err = pages.NewLanguages(pages.Language{Tag: "sr-Latn-RS"}, pages.Language{Tag: "es-419"}, pages.Language{Tag: "de-1996", Words: pages.Words{SignIn: "100 %"}})
	require.NoError(t, err)
}
