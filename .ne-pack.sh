for p in NE.Model.fs NE.Actors NE.Shell; do nice -n 5 dotnet pack $p -c Release --no-build -o artifacts/packages -v q 2>&1 | grep -v "^$" | cut -c1-300; done
ls -la artifacts/packages
