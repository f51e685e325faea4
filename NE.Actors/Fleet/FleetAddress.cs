using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;

namespace NE.Actors.Fleet;

/// <summary>Where a process of the fleet listens.</summary>
/// <param name="Host">A name or an address, as the others reach it.</param>
/// <param name="Port">1 to 65535.</param>
public readonly record struct FleetAddress(string Host, int Port)
{
    /// <summary>Where a node listens unless told otherwise.</summary>
    public const int DefaultPort = 7310;

    /// <summary>Reads HOST:PORT or HOST.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public static FleetAddress Parse(string text)
    {
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? text : text[..colon];
        string port = colon < 0 ? DefaultPort.ToString(CultureInfo.InvariantCulture) : text[(colon + 1)..];
        return Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4 && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is >= 1 and <= 65535
            ? new FleetAddress(host, number)
            : throw new FormatException($"expected HOST:PORT, such as 10.0.0.5:{DefaultPort}, found '{text}'");
    }

    public static FleetAddress Of(Address address) => new(address.Host!, address.Port!.Value);

    /// <summary>The address of this machine from which that one is reached.</summary>
    /// <exception cref="SocketException">There is no way there, or the name is unknown.</exception>
    public string OwnAddress()
    {
        // Nothing is sent: the system says which way it would take.
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(this.Host, this.Port);
        return ((IPEndPoint)socket.LocalEndPoint!).Address.ToString();
    }

    /// <summary>Whether a process listens there; null when the machine does not say.</summary>
    public async Task<bool?> Listens(TimeSpan patience)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var late = new CancellationTokenSource(patience);
        try
        {
            await socket.ConnectAsync(this.Host, this.Port, late.Token);
            return true;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return false;
        }
        catch (Exception silent) when (silent is SocketException or OperationCanceledException)
        {
            return null;
        }
    }

    public Address Akka => new("akka.ssl.tcp", FleetMember.SystemName, this.Host, this.Port);

    public override string ToString() => $"{this.Host}:{this.Port.ToString(CultureInfo.InvariantCulture)}";
}
