using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace NE.Shell.Serving;

/// <summary>
/// Who is let in. On this machine's own address a request must have been meant for it, so that a page elsewhere cannot reach it under a name of its own; on
/// another address a token is needed. What changes something must come from the page itself.
/// </summary>
internal sealed class Access(ServeOptions options)
{
    /// <summary>A page of another origin cannot send it without asking first, which is refused.</summary>
    public const string ActionHeader = "X-NE-Action";

    private const string Cookie = "ne-token";
    private const string Query = "token";

    /// <summary>Only its own scripts, pictures and data; nothing from elsewhere, and no script in a page's text.</summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public async Task Invoke(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.ContentSecurityPolicy = Policy;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        context.Response.Headers.CacheControl = "no-cache";

        if (options.Token is null && !IsThisMachine(context.Request.Host.Host))
        {
            await Refuse(context, StatusCodes.Status421MisdirectedRequest, $"this page is served to http://localhost alone, not to '{context.Request.Host}'");
        }
        else if (options.Token is { } token && !Shows(context.Request.Cookies[Cookie], token))
        {
            if (Shows(context.Request.Query[Query], token) && HttpMethods.IsGet(context.Request.Method))
            {
                // Out of the address, so that it is in no history and no screenshot.
                context.Response.Cookies.Append(Cookie, token, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, IsEssential = true, Path = "/" });
                context.Response.Redirect(context.Request.Path.HasValue ? context.Request.Path.Value! : "/");
                return;
            }

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
