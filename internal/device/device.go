// Package device puts into words what somebody signs in with, by what their browser says
// of itself: anybody can say anything, so that it is to be shown to the person alone, and
// nothing is to be decided by it.
package device

import "strings"

// WebView is in the place of a browser where an application shows pages itself. The others
// are names, and the same in each language.
const WebView = "a web view"

// known are marks in a User-Agent and what they stand for. The first that is there counts:
// most browsers name others too.
type known []struct{ mark, name string }

var browsers = known{
	{"MicroMessenger/", "WeChat"}, {"DingTalk/", "DingTalk"}, {"Lark/", "Lark"}, {"Feishu/", "Lark"},
	{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"},
	{"OPR/", "Opera"}, {"OPX/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"}, {"YaBrowser/", "Yandex"},
	{"DuckDuckGo/", "DuckDuckGo"}, {"Ddg/", "DuckDuckGo"}, {"MiuiBrowser/", "Mi Browser"}, {"HuaweiBrowser/", "Huawei Browser"}, {"UCBrowser/", "UC Browser"},
	{"QQBrowser/", "QQ Browser"}, {"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"}, {"Electron/", "Electron"},
	{"Chrome/", "Chrome"}, {"Version/", "Safari"}, {"AppleWebKit/", WebView},
}

var systems = known{
	{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"OpenHarmony", "HarmonyOS"}, {"Android", "Android"}, {"CrOS", "ChromeOS"},
	{"Windows", "Windows"}, {"Macintosh", "macOS"}, {"Linux", "Linux"}, {"FreeBSD", "FreeBSD"},
}

func (k known) in(userAgent string) string {
	for _, x := range k {
		if strings.Contains(userAgent, x.mark) {
			return x.name
		}
	}
	return ""
}

// maxRead bounds what is read of a User-Agent, and maxName a program's name.
const (
	maxRead = 512
	maxName = 32
)

// Of returns the browser and the system of a User-Agent header (RFC 9110 10.1.5), such as
// "Firefox, Windows"; of what is no browser, the name of the program: "curl". It is empty
// where nothing is known.
func Of(userAgent string) string {
	userAgent = userAgent[:min(len(userAgent), maxRead)]
	browser, system := browsers.in(userAgent), systems.in(userAgent)
	switch {
	case browser != "" && system != "":
		return browser + ", " + system
	case browser != "":
		return browser
	case system != "":
		return system
	}
	return program(userAgent)
}

// program is the name of the first product, if it is one that says something.
func program(userAgent string) string {
	name, _, _ := strings.Cut(userAgent, "/")
	if name == "" || len(name) > maxName || name == "Mozilla" {
		return ""
	}
	for _, c := range []byte(name) {
		if c != '-' && c != '_' && c != '.' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return ""
		}
	}
	return name
}
