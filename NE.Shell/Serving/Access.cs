using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace NE.Shell.Serving;

/// <summary>
/// Who is let in. On this machine's own address a request must have been meant for it, so that a page elsewhere cannot reach it under a name of its own.
/// Where more than looking from this machine is possible, a token is needed. What changes something must come from the page itself.
/// </summary>
internal sealed class Access(ServeOptions options)
{
    /// <summary>A page of another origin cannot send it without asking first, which is refused.</summary>
    public const string ActionHeader = "X-NE-Action";

    private const string Query = "token";

    /// <summary>Of an address without one.</summary>
    private const int UsualPort = 80;

    /// <summary>Only its own scripts, pictures and data; nothing from elsewhere, and no script in a page's text.</summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public async Task Invoke(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.ContentSecurityPolicy = Policy;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        context.Response.Headers.CacheControl = "no-cache";

        string cookie = Cookie(context.Request);
        bool brings = options.Token is { } wanted && Shows(context.Request.Query[Query], wanted);
        bool isLetIn = options.Token is not { } token || Shows(context.Request.Cookies[cookie], token);

        if (IPAddress.IsLoopback(options.Address) && !IsThisMachine(context.Request.Host.Host))
        {
            await Refuse(context, StatusCodes.Status421MisdirectedRequest, $"this page is served to http://localhost alone, not to '{context.Request.Host}'");
        }
        else if ((brings || isLetIn) && context.Request.Query.ContainsKey(Query) && HttpMethods.IsGet(context.Request.Method))
        {
            if (brings)
            {
                context.Response.Cookies.Append(cookie, options.Token!, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, IsEssential = true, Path = "/" });
            }

            // Out of the address, so that it is in no history and no screenshot.
            context.Response.Redirect(WithoutToken(context.Request));
        }
        else if (!isLetIn)
        {
            await Refuse(context, StatusCodes.Status401Unauthorized, "this page needs the token that `ne serve` printed: open the whole address");
        }
        else if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method) && !IsFromPage(context.Request))
        {
            await Refuse(context, StatusCodes.Status403Forbidden, "actions are taken from the page alone");
        }
        else
        {
            await next(context);
        }
    }

    /// <summary>Browsers hand a cookie to every port of a host, so each page has one of its own.</summary>
    private static string Cookie(HttpRequest request) => $"ne-token-{(request.Host.Port ?? UsualPort).ToString(CultureInfo.InvariantCulture)}";

    /// <summary>The same address on this host: two slashes would begin the name of another.</summary>
    private static string WithoutToken(HttpRequest request) =>
        $"/{request.Path.ToUriComponent().TrimStart('/')}{QueryString.Create(request.Query.Where(value => !value.Key.Equals(Query, StringComparison.OrdinalIgnoreCase)))}";

    private static bool IsFromPage(HttpRequest request) =>
        request.Headers.ContainsKey(ActionHeader)
        && (request.Headers.Origin.Count == 0 || (Uri.TryCreate(request.Headers.Origin, UriKind.Absolute, out Uri? origin) && origin.Authority == request.Host.Value));

    private static bool IsThisMachine(string host) =>
        host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));

    private static bool Shows(string? shown, string token) =>
        shown is not null && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(shown)), SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private static Task Refuse(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync($"ne: {why}\n");
    }
}
