using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NE.Actors.Storage;

#pragma warning disable CA1416 // Permissions of files are those of Linux, as is all of this program.

namespace NE.Actors.Fleet;

/// <summary>The file that lets a process into a fleet. Whoever has it may: it holds a certificate and its private key, which every process of the
/// fleet shows to every other one (mutual TLS), and each accepts that very certificate and no other.</summary>
public sealed class FleetKey
{
    private const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private FleetKey(X509Certificate2 certificate) => this.Certificate = certificate;

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Begin of the certificate's SHA-256, by which people see that two machines have the same key. Not secret.</summary>
    public string Name => Convert.ToHexStringLower(this.Certificate.GetCertHash(HashAlgorithmName.SHA256))[..16];

    /// <summary>Makes a new key. Only the owner of the file can read it.</summary>
    /// <exception cref="IOException">The file is there already, or cannot be written.</exception>
    public static FleetKey Create(string file)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=ne fleet", key, HashAlgorithmName.SHA256);
        // Clocks of machines differ, and nobody renews it: a new fleet has a new key.
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UtcNow.AddYears(100));
        string text = certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";

        if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder)
        {
            Directory.CreateDirectory(folder);
        }

        if (!DurableFile.TryCreateText(file, text, OwnersAlone))
        {
            throw new IOException($"{file} is there already");
        }

        return Read(file);
    }

    /// <summary>The key of a file; when there is none, of one that is made there.</summary>
    /// <exception cref="InvalidDataException">The file is not a fleet's key, or others can read it.</exception>
    public static FleetKey ReadOrCreate(string file)
    {
        try
        {
            return File.Exists(file) ? Read(file) : Create(file);
        }
        catch (IOException) when (File.Exists(file))
        {
            // Another process was quicker.
            return Read(file);
        }
    }

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not a fleet's key, or others can read it.</exception>
    public static FleetKey Read(string file)
    {
        string text = File.ReadAllText(file);

        if ((File.GetUnixFileMode(file) & ~(OwnersAlone | UnixFileMode.UserExecute)) is not UnixFileMode.None and var others)
        {
            throw new InvalidDataException($"others can use the fleet's key {file} ({others}); whoever has it controls the fleet. Keep it to yourself: chmod 600 {file}");
        }

        try
        {
            return new FleetKey(X509Certificate2.CreateFromPem(text, text));
        }
        catch (Exception problem) when (problem is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException($"{file} is not a fleet's key, which `ne fleet key FILE` makes: {problem.Message}");
        }
    }

    /// <summary>Whether another process shows the same certificate.</summary>
    public bool Matches(X509Certificate2? shown) => shown is not null && CryptographicOperations.FixedTimeEquals(shown.RawDataMemory.Span, this.Certificate.RawDataMemory.Span);
}
