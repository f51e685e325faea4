using Microsoft.AspNetCore.Http;

namespace NE.Shell.Serving;

/// <summary>The page's own files, which are built into the executable.</summary>
internal static class PageAssets
{
    private const string Prefix = "page:";

    /// <summary>The charts come from a package, which the build does without where there is no npm.</summary>
    public static bool HaveCharts { get; } = typeof(PageAssets).Assembly.GetManifestResourceInfo($"{Prefix}lib/uPlot.esm.js") is not null;

    private static readonly string Version = $"\"{typeof(PageAssets).Assembly.ManifestModule.ModuleVersionId:N}\"";

    /// <summary>A file by its path within the page; false when there is none.</summary>
    public static async Task<bool> Send(HttpContext context, string path)
    {
        await using Stream? file = typeof(PageAssets).Assembly.GetManifestResourceStream(Prefix + path);

        if (file is null)
        {
            return false;
        }

        context.Response.Headers.ETag = Version;

        if (context.Request.Headers.IfNoneMatch == Version)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return true;
        }

        context.Response.ContentType = Path.GetExtension(path) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            _ => "application/octet-stream",
        };
        context.Response.ContentLength = file.Length;

        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await file.CopyToAsync(context.Response.Body, context.RequestAborted);
        }

        return true;
    }
}
