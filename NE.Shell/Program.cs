using NE.Shell;

return (int)await Shell.Run(args, ShellHost.FromProcess(args));
