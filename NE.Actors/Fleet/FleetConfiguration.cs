using System.Globalization;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster.Tools.Singleton;
using Akka.Configuration;
using Akka.Remote.Transport.DotNetty;
using NE.Actors.Cast;
using NE.Actors.Environments;
using NE.Actors.Fleet.Wire;

namespace NE.Actors.Fleet;

/// <summary>
/// How Akka.Cluster is set up: mutual TLS, serializers of our own alone, and who stays when a fleet falls apart. That is the side with the node that has
/// been there longest; processes that train runs do not count.
/// </summary>
internal static class FleetConfiguration
{
    /// <summary>[bytes] Longest message. While one is on its way, signs of life behind it wait.</summary>
    public const int LongestMessage = 8 << 20;

    /// <summary>[bytes] Of a message, for all that is always small.</summary>
    private const int SmallParts = 64 << 10;

    public static ActorSystemSetup Of(FleetOptions options, IReadOnlyList<WireMessages> messages)
    {
        // Neither a chain of certificates nor a name is checked: it must be this very certificate.
        var tls = new DotNettySslSetup(
            options.Key.Certificate, suppressValidation: false, requireMutualAuthentication: true, validateCertificateHostname: false, (shown, _, _, _, _) => options.Key.Matches(shown));
        return ActorSystemSetup.Create(tls, BootstrapSetup.Create().WithConfig(Text(options, messages)));
    }

    /// <summary>Akka drops what is too long, and whoever waits for it waits for ever.</summary>
    /// <param name="bytes">Of an environment's state and what goes with it.</param>
    /// <param name="environment">Its number in the run.</param>
    /// <exception cref="EnvironmentUnusableException">That is too much for a message.</exception>
    public static void CheckCrosses(long bytes, int environment)
    {
        if (bytes > LongestMessage - SmallParts)
        {
            throw new EnvironmentUnusableException(
                $"environment {environment} and its state are {bytes / 1e6:N1} MB, and {(LongestMessage - SmallParts) / 1e6:N1} MB can cross to or from a node: let the run hold its environments itself (without --fleet and schedule.workers)");
        }
    }

    private static Config Text(FleetOptions options, IReadOnlyList<WireMessages> messages)
    {
        string reached = options.Public is { } address ? $"public-hostname = {Hocon.Quoted(address.Host)}\npublic-port = {Number(address.Port)}" : "";
        return ConfigurationFactory.ParseString($$"""
            {{Hocon.Loggers(options.Loggers)}}
            {{Hocon.CoarseTimers}}
            akka {
              loglevel = INFO
              stdout-loglevel = OFF
              log-dead-letters = off
              coordinated-shutdown { run-by-clr-shutdown-hook = off, exit-clr = off, terminate-actor-system = on }
              actor {
                provider = cluster
                serializers {
                  # In the place of Akka's own, which makes objects of whatever types a message names.
                  json = {{Hocon.Quoted(typeof(RefusingSerializer).AssemblyQualifiedName!)}}
                  {{string.Join("\n", messages.Select(kind => $"{kind.Name} = {Hocon.Quoted(kind.Serializer.AssemblyQualifiedName!)}"))}}
                }
                # Nothing crosses by reflection: neither the names of types nor objects that were not made for it.
                serialization-bindings {
                  "System.Object" = json
                  {{string.Join("\n", messages.Select(kind => $"{Hocon.Quoted(kind.Marker.AssemblyQualifiedName!)} = {kind.Name}"))}}
                }
              }
              remote {
                log-remote-lifecycle-events = off
                dot-netty.tcp {
                  hostname = {{Hocon.Quoted(options.Bind)}}
                  port = {{Number(options.Port)}}
                  {{reached}}
                  enable-ssl = true
                  # On Linux it would let two processes listen at one port, and each would get some of the connections.
                  tcp-reuse-addr = off
                  connection-timeout = 5s
                  maximum-frame-size = {{Number(LongestMessage)}}b
                  # While more than that waits to be sent, a write is refused and comes again after the back-off: a policy alone is more than the usual 64 KiB.
                  write-buffer-high-water-mark = 32MiB
                  write-buffer-low-water-mark = 16MiB
                  send-buffer-size = 1MiB
                  receive-buffer-size = 1MiB
                  # A round waits for its answer; what can go together is one message already.
                  batching.enabled = false
                }
                retry-gate-closed-for = 1s
                # What TCP could not send over a cable that was out it sends again ever more seldom: after half a minute, half a minute late. A connection on which nothing has come
                # for so long is given up, and a new one is there a few seconds after the cable is.
                transport-failure-detector {
                  heartbeat-interval = {{Milliseconds(options.Patience.Heartbeat)}}
                  acceptable-heartbeat-pause = {{Milliseconds(options.Patience.Silence + options.Patience.Stable)}}
                }
              }
              cluster {
                # Before a node has joined there is none, and who waits for one says so.
                singleton-proxy.log-singleton-identification-failure = off
                roles = [{{string.Join(", ", options.Roles.Select(Hocon.Quoted))}}]
                run-coordinated-shutdown-when-down = on
                shutdown-after-unsuccessful-join-seed-nodes = off
                seed-node-timeout = 3s
                # The first try of one that died and is there again is ignored as long as the dead one is a member.
                retry-unsuccessful-join-after = 2s
                gossip-interval = 500ms
                leader-actions-interval = 500ms
                failure-detector {
                  heartbeat-interval = {{Milliseconds(options.Patience.Heartbeat)}}
                  acceptable-heartbeat-pause = {{Milliseconds(options.Patience.Silence)}}
                }
                downing-provider-class = "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster"
                split-brain-resolver {
                  active-strategy = keep-oldest
                  stable-after = {{Milliseconds(options.Patience.Stable)}}
                  keep-oldest { role = {{FleetOptions.NodeRole}}, down-if-alone = {{(options.OldestMayBeLost ? "on" : "off")}} }
                }
              }
            }
            """).WithFallback(ClusterSingleton.DefaultConfig());
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Milliseconds(TimeSpan span) => $"{span.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture)}ms";
}
