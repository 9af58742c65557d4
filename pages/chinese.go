package pages

import "github.com/sallyport/auth/internal/fault"

var chinese = &Language{
	Tag:          "zh-CN",
	continueWith: "使用 %s 登录",
	seconds:      "您所在的网络多次输入错误的访问密码。请在 %d 秒后重试。",
	minutes:      "您所在的网络多次输入错误的访问密码。请在 %d 分钟后重试。",
	Words: Words{
		SignIn: "登录", SignInIntro: "请选择登录方式。", AccessCode: "访问密码", UseAccessCode: "使用访问密码",
		SignOut: "退出登录", SignOutIntro: "确定要退出登录吗？", SignedInAs: "当前登录账号", Account: "您的账号：", Stay: "保持登录",
		Retry: "重试", Home: "返回首页", Continue: "继续", ToSignIn: "前往登录页", OtherWays: "其他登录方式", SignInApart: "在新标签页中登录", RequestID: "如需帮助，请提供此查询码",
	},
	problems: map[fault.Code]Problem{
		fault.Configuration:       {"登录设置有误", "本站与登录服务的配置不一致，需要由本站管理员修正，日志中有具体原因。"},
		fault.AccessDenied:        {"您无权登录本站", "您的账号验证成功，但本站未允许该账号登录。请联系管理员，或换用其他账号。"},
		fault.PersonDeclined:      {"登录已取消", "您取消了登录，或未允许登录服务提供您的身份信息。您可以重试。"},
		fault.NotSignedInThere:    {"您尚未在登录服务中登录", "登录服务需要先向您确认，但这次无法询问。请重试，届时会显示登录服务的页面。"},
		fault.ProviderUnavailable: {"登录服务没有响应", "该服务可能暂时停止，或本站目前无法连接。请稍后重试。"},
		fault.UnknownRedirectURI:  {"本站地址尚未登记", "登录服务不认识登录后应返回的地址。请管理员在登录服务中登记该地址。"},
		fault.ClockWrong:          {"系统时间不正确", "本站与登录服务的时间不一致，需要由管理员校准本站的时间。"},
		fault.CookiesBlocked:      {"Cookie 被阻止", "浏览器没有保存登录所需的 Cookie。请允许本站使用 Cookie 后重试。"},
		fault.AttemptExpired:      {"登录已超时", "这次登录开始得太久，或是在另一个浏览器中开始的。请重新登录。"},
		fault.ResponseInvalid:     {"登录结果无效", "登录服务返回的内容未通过安全检查，因此没有登录。请重试。"},
		fault.SessionTooLarge:     {"账号信息过大", "登录服务返回的账号信息超出浏览器可保存的大小。管理员可以减少这些信息，或改用会话存储。"},
		fault.StoreUnavailable:    {"暂时无法确认登录状态", "本站的部分服务暂停。如果您此前已登录，登录仍然有效。请稍后重试。"},
		fault.MissingCSRF:         {"页面已过期", "页面打开时间过长，或来自其他地方。请重新开始。"},
		fault.OAuthCallback:       {"登录失败", "登录服务未能完成登录。请重试。"},
		fault.SessionRequired:     {"请先登录", "您要访问的页面需要登录。"},
		fault.FormNotSent:         {"您提交的内容没有送达", "您的登录已失效。请在新标签页中登录，然后回到这里并返回上一页，您填写的内容应仍在，可再次提交。"},
		fault.InsideAFrame:        {"您尚未登录", "无法在嵌入的页面中登录。请在新标签页中登录，然后重新加载此页面。"},
		fault.AnotherSite:         {"请求来自其他网站", "其他网站的页面以您的名义向本站提交了内容。本站没有接受，一切保持不变。如果确实需要这样做，请在本站操作。"},
		fault.SignedOut:           {"您已退出登录", "您可以关闭此页面，或重新登录。"},
		fault.CodeWrong:           {"访问密码不正确", "请注意区分大小写。如果忘记了密码，请联系本站管理员。"},
		fault.RateLimited:         {"尝试次数过多", "您所在的网络多次输入错误的访问密码。请几分钟后重试。"},
		fault.TooManyFailures:     {"登录失败次数过多", "您所在的网络多次登录失败。请一分钟后重试。"},
		fault.AnotherWay:          {"此页面仅限其他账号访问", "您已登录，但您的账号无权查看此页面。请换用有权访问的账号登录，或联系本站管理员。"},
		fault.NotFound:            {"页面不存在", "地址可能有误或已失效。"},
		fault.MethodNotAllowed:    {"操作不支持", "此地址不能以这种方式访问。"},
		fault.BadRequest:          {"请求无法识别", "请返回并重新开始。"},
		fault.Default:             {"出现错误", "没有登录成功，请重试。"},
	},
}
