package auth

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// language is what the pages say in one language.
type language struct {
	tag          string
	continueWith string
	words        Words
	seconds      string // "Try again in %d seconds."
	minutes      string
	errors       map[string]explanation
}

type explanation struct{ title, text string }

// wait says when to come back, never too early.
func (l *language) wait(d time.Duration) string {
	if seconds := int((d + time.Second - 1) / time.Second); seconds < 120 {
		return fmt.Sprintf(l.seconds, seconds)
	}
	return fmt.Sprintf(l.minutes, int((d+time.Minute-1)/time.Minute))
}

// languageOf is the one of ours that the browser likes best (RFC 9110 12.5.4):
// English where it says nothing.
func languageOf(r *http.Request) *language {
	best, bestQ := english, 0.0
	header := r.Header.Get("Accept-Language")
	if len(header) > 1024 {
		return english
	}
	for item := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(item), ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				continue
			}
		}
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if l := map[string]*language{"en": english, "zh": chinese}[primary]; l != nil && q > bestQ {
			best, bestQ = l, q
		}
	}
	return best
}

var english = &language{
	tag:          "en",
	continueWith: "Continue with %s",
	seconds:      "Too many wrong access codes came from your network. Try again in %d seconds.",
	minutes:      "Too many wrong access codes came from your network. Try again in %d minutes.",
	words: Words{
		SignIn: "Sign in", SignInIntro: "Choose how to continue.", AccessCode: "Access code", Or: "or",
		SignOut: "Sign out", SignOutIntro: "Do you want to sign out?", SignedInAs: "Signed in as", Stay: "Stay signed in",
		Retry: "Try again", Home: "To the start page", ToSignIn: "To the sign-in page", RequestID: "If you ask for help, give this number",
	},
	errors: map[string]explanation{
		codeConfiguration:    {"Sign-in is not set up correctly", "This site and the sign-in service do not agree on how to work together. The people who run this site have to mend it; their log says what is wrong."},
		codeAccessDenied:     {"You may not sign in here", "You signed in correctly, but this site does not admit your account. Ask the people who run it, or try another account."},
		codeDeclined:         {"You did not sign in", "The sign-in was cancelled, or it was not allowed to tell this site who you are. You can try again."},
		codeUnavailable:      {"The sign-in service does not answer", "It may be down, or this site cannot reach it at the moment. Try again in a minute."},
		codeRedirectURI:      {"This site's address is not registered", "The sign-in service does not know the address to which it should send you back. The people who run this site have to register it there:"},
		codeClock:            {"A clock is wrong", "The clocks of this site and of the sign-in service disagree. The people who run this site have to set theirs."},
		codeCookiesBlocked:   {"Cookies are blocked", "Your browser did not keep the cookie that signing in needs. Allow cookies for this site and try again."},
		codeExpired:          {"That took too long", "The sign-in was started too long ago, or in another browser. Start again."},
		codeInvalidResponse:  {"The answer was not valid", "What the sign-in service sent back failed a safety check, so you were not signed in. Try again."},
		codeSessionTooLarge:  {"Your account does not fit", "The sign-in service sent more about your account than a browser can hold. The people who run this site can limit it, or keep sessions in a store."},
		codeStoreUnavailable: {"Sign-ins cannot be checked right now", "A part of this site is down. You have not been signed out; try again in a minute."},
		codeMissingCSRF:      {"The form was out of date", "The page was open for too long, or came from somewhere else. Start again."},
		codeOAuthCallback:    {"The sign-in did not work", "The sign-in service could not complete it. Try again."},
		codeSessionRequired:  {"Please sign in", "The page that you asked for is for people who are signed in."},
		codeSignedOut:        {"You are signed out", "You can close this page, or sign in again."},
		codeWrongCode:        {"That code is not right", "Capital letters and spaces count. Ask the people who run this site if you have lost it."},
		codeRateLimited:      {"Too many attempts", "Too many wrong access codes came from your network. Try again in a few minutes."},
		codeAnotherWay:       {"This page needs another way of signing in", "You are signed in, but not in the way that this page asks for. Sign in with an account that may see it."},
		codeNotFound:         {"There is no such page", "The address may be mistyped, or out of date."},
		codeMethodNotAllowed: {"That does not work here", "This address cannot be used in that way."},
		codeBadRequest:       {"The request was not understood", "Go back and start again."},
		codeDefault:          {"Something went wrong", "You were not signed in. Try again."},
	},
}

var chinese = &language{
	tag:          "zh-CN",
	continueWith: "使用 %s 登录",
	seconds:      "您所在的网络多次输入错误的访问密码。请在 %d 秒后重试。",
	minutes:      "您所在的网络多次输入错误的访问密码。请在 %d 分钟后重试。",
	words: Words{
		SignIn: "登录", SignInIntro: "请选择登录方式。", AccessCode: "访问密码", Or: "或",
		SignOut: "退出登录", SignOutIntro: "确定要退出登录吗？", SignedInAs: "当前登录账号", Stay: "保持登录",
		Retry: "重试", Home: "返回首页", ToSignIn: "前往登录页", RequestID: "如需帮助，请提供此编号",
	},
	errors: map[string]explanation{
		codeConfiguration:    {"登录设置有误", "本站与登录服务的配置不一致，需要由本站管理员修正，日志中有具体原因。"},
		codeAccessDenied:     {"您无权登录本站", "您的账号验证成功，但本站未允许该账号登录。请联系管理员，或换用其他账号。"},
		codeDeclined:         {"登录已取消", "您取消了登录，或未允许登录服务提供您的身份信息。您可以重试。"},
		codeUnavailable:      {"登录服务没有响应", "该服务可能暂时停止，或本站目前无法连接。请稍后重试。"},
		codeRedirectURI:      {"本站地址尚未登记", "登录服务不认识登录后应返回的地址。请管理员在登录服务中登记以下地址："},
		codeClock:            {"系统时间不正确", "本站与登录服务的时间不一致，需要由管理员校准本站的时间。"},
		codeCookiesBlocked:   {"Cookie 被阻止", "浏览器没有保存登录所需的 Cookie。请允许本站使用 Cookie 后重试。"},
		codeExpired:          {"登录已超时", "这次登录开始得太久，或是在另一个浏览器中开始的。请重新登录。"},
		codeInvalidResponse:  {"登录结果无效", "登录服务返回的内容未通过安全检查，因此没有登录。请重试。"},
		codeSessionTooLarge:  {"账号信息过大", "登录服务返回的账号信息超出浏览器可保存的大小。管理员可以减少这些信息，或改用会话存储。"},
		codeStoreUnavailable: {"暂时无法确认登录状态", "本站的部分服务暂停。您并未被退出，请稍后重试。"},
		codeMissingCSRF:      {"页面已过期", "页面打开时间过长，或来自其他地方。请重新开始。"},
		codeOAuthCallback:    {"登录失败", "登录服务未能完成登录。请重试。"},
		codeSessionRequired:  {"请先登录", "您要访问的页面需要登录。"},
		codeSignedOut:        {"您已退出登录", "您可以关闭此页面，或重新登录。"},
		codeWrongCode:        {"访问密码不正确", "请注意区分大小写和空格。如果忘记了密码，请联系本站管理员。"},
		codeRateLimited:      {"尝试次数过多", "您所在的网络多次输入错误的访问密码。请几分钟后重试。"},
		codeAnotherWay:       {"此页面需要其他登录方式", "您已登录，但不是此页面要求的方式。请使用有权访问的账号登录。"},
		codeNotFound:         {"页面不存在", "地址可能有误或已失效。"},
		codeMethodNotAllowed: {"操作不支持", "此地址不能以这种方式访问。"},
		codeBadRequest:       {"请求无法识别", "请返回并重新开始。"},
		codeDefault:          {"出现错误", "没有登录成功，请重试。"},
	},
}
