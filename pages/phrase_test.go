package pages_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/pages"
)

// TestSpacesBetweenScripts: in Chinese and Japanese, a space is between a word and a Latin
// name, and none between two words.
func TestSpacesBetweenScripts(t *testing.T) {
	for _, x := range []struct{ tag, name, want string }{
		{"zh", "GitHub", "使用 GitHub 登录"}, {"zh", "企业微信", "使用企业微信登录"}, {"zh", "Acme 登录", "使用 Acme 登录登录"}, {"zh", "飞书 Lark", "使用飞书 Lark 登录"},
		{"zh", "360", "使用 360 登录"}, {"zh", "C++", "使用 C++ 登录"}, {"zh", "élan", "使用 élan 登录"}, {"zh", "Почта", "使用 Почта 登录"},
		{"zh", "【公司】", "使用【公司】登录"}, {"zh", "ＡＢ", "使用ＡＢ登录"}, {"zh", "𠮷野家", "使用𠮷野家登录"}, {"zh", " A ", "使用 A 登录"}, {"zh", "x", "使用 x 登录"},
		{"zh-TW", "LINE", "使用 LINE 登入"}, {"zh-TW", "釘釘", "使用釘釘登入"},
		{"ja", "GitHub", "GitHub でログイン"}, {"ja", "楽天", "楽天でログイン"}, {"ja", "ヤフー", "ヤフーでログイン"}, {"ja", "はてな", "はてなでログイン"},
		{"de", "企业微信", "Weiter mit 企业微信"}, {"en", "GitHub", "Continue with GitHub"},
	} {
		require.Equal(t, x.want, pages.Match(x.tag).ContinueWith(x.name), x.tag)
	}
	zh, de := pages.Match("zh"), pages.Match("de")
	require.Equal(t, "登录 ACME", zh.SignInTo("ACME"))
	require.Equal(t, "登录企业微信", zh.SignInTo("企业微信"))
	require.Equal(t, "同时退出 Auth0", zh.SignOutThere("Auth0"))
	require.Equal(t, "退出后，您在 Auth0 仍处于登录状态。", zh.StaysIn("Auth0"))
	require.Equal(t, "您在企业微信仍处于登录状态。", zh.StillIn("企业微信"))
	require.Equal(t, "Bei 企业微信 bleiben Sie angemeldet.", de.StaysIn("企业微信"))
	s, err := pages.NewLanguages(pages.Language{Tag: "zh-CN", Words: pages.Words{ContinueWith: "用 %s 登录", StaysIn: "，%s。"}})
	require.NoError(t, err)
	require.Equal(t, "用 企业 登录", s.Match("zh-CN").ContinueWith("企业"), "the application's own spaces stay")
	require.Equal(t, "，A。", s.Match("zh-CN").StaysIn("A"), "punctuation has a space of its own")
}

// TestNamesOfTheOtherDirectionAreIsolated: a name that runs the other way, or overrides
// the direction, changes nothing around it.
func TestNamesOfTheOtherDirectionAreIsolated(t *testing.T) { // HD-04
	en := pages.Match("en")
	for _, name := range []string{"אקמה", "بريد", "GitHub \u202e", "Acme אקמה 2"} {
		require.Equal(t, "You are still signed in at \u2068"+name+"\u2069.", en.StillIn(name))
	}
	require.Equal(t, "You are still signed in at GitHub.", en.StillIn("GitHub"))
	s, err := pages.NewLanguages(pages.Language{Tag: "he", Words: pages.Words{StillIn: "%s!"}})
	require.NoError(t, err)
	require.Equal(t, "\u2068GitHub\u2069!", s.Match("he").StillIn("GitHub"))
}

func TestRightToLeft(t *testing.T) {
	for tag, want := range map[string]bool{
		"ar": true, "ar-EG": true, "AR": true, "he": true, "fa-IR": true, "ur": true, "az-Arab": true, "pa-Arab-PK": true,
		"ar-Latn": false, "az": false, "en": false, "zh-Hant": false, "he-Latn-IL": false, "en-AR": false,
	} {
		l := pages.Language{Tag: tag}
		require.Equal(t, want, l.RightToLeft(), tag)
	}
}
