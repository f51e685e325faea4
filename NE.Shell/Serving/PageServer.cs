using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NE.Shell.Host;
using NE.Shell.Serving.Data;

namespace NE.Shell.Serving;

/// <summary>A page over runs, served until it is disposed.</summary>
public sealed class PageServer : IAsyncDisposable
{
    private readonly WebApplication application;

    private readonly IRunSource source;

    private PageServer(WebApplication application, IRunSource source, ServeOptions options)
    {
        this.application = application;
        this.source = source;
        var bound = new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        string name = options.Address.Equals(IPAddress.Loopback) || options.Address.Equals(IPAddress.IPv6Loopback) ? "localhost"
            : options.Address.Equals(IPAddress.Any) || options.Address.Equals(IPAddress.IPv6Any) ? Dns.GetHostName()
            : options.Address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{options.Address}]" : options.Address.ToString();
        this.Url = $"http://{name}:{bound.Port}/" + (options.Token is { } token ? $"?token={Uri.EscapeDataString(token)}" : "");
    }

    /// <summary>What to open, with the token where one is needed.</summary>
    public string Url { get; }

    /// <summary>Whether the charts are built in.</summary>
    public static bool HasCharts => PageAssets.HaveCharts;

    /// <summary>Starts to listen.</summary>
    /// <param name="host">The outside world.</param>
    /// <param name="options">Who may look, and what they may do.</param>
    /// <param name="runs">Folder of the runs.</param>
    /// <param name="only">Runs or sweeps to show; all when empty.</param>
    /// <param name="orAnotherPort">Take any free port when this one is taken.</param>
    /// <exception cref="UserError">The port or the address cannot be had.</exception>
    public static async Task<PageServer> Start(ShellHost host, ServeOptions options, string runs, IReadOnlyList<string> only, bool orAnotherPort)
    {
        try
        {
            return await Start(host, options, runs, only);
        }
        catch (IOException taken) when (orAnotherPort && taken.InnerException is AddressInUseException)
        {
            return await Start(host, options with { Port = 0 }, runs, only);
        }
        catch (Exception refused) when (refused is IOException or SocketException)
        {
            throw new UserError($"the page cannot listen at port {options.Port} of {options.Address}: {refused.Message}\nGive another --port (0 for any that is free) or another --host.");
        }
    }

    private static async Task<PageServer> Start(ShellHost host, ServeOptions options, string runs, IReadOnlyList<string> only)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [], ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        // The process's own signals stop the run or the verb, which then ends the page.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(options.Address, options.Port);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
        });
        WebApplication application = builder.Build();
        var source = new FolderRuns(runs, only, host.Clock);
        var access = new Access(options);
        application.Use(next => context => access.Invoke(context, next));
        application.UseRouting();
        RunApi.Map(application, source, new ChangeFeed(source, host.Clock), options.Control ? new RunControl(runs, host.Executable) : null, options.Fleet);
        application.MapGet("/{**path}", Send);
        try
        {
            await application.StartAsync();
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }

        return new(application, source, options);
    }

    private static async Task Send(HttpContext context, string? path)
    {
        if (!await PageAssets.Send(context, string.IsNullOrEmpty(path) ? "index.html" : path))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            await context.Response.WriteAsync("ne: there is nothing at this address\n");
        }
    }

    /// <summary>Reads meanwhile what a page begins with, so that it opens at once. What cannot be read is said when it is asked for.</summary>
    public void ReadAhead() => _ = Task.Run(() =>
    {
        this.source.Runs();

        foreach (string measure in (string[])["return", "actor_fau"])
        {
            this.source.Curves(null, measure, points: 200);
        }
    });

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await this.application.StopAsync(patience.Token);
        await this.application.DisposeAsync();
    }

    /// <summary>Signals are not the page's.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
