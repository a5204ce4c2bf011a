# Not tried: written without Nix at hand. nix build ./packaging
{
  description = "A voice recorder for the terminal that never loses a recording";
  outputs = { self, nixpkgs }: {
    packages = nixpkgs.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system:
      let pkgs = nixpkgs.legacyPackages.${system}; in {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = "dictaphone";
          version = "0.1.0";
          src = ../.;
          cargoLock.lockFile = ../Cargo.lock;
          nativeBuildInputs = [ pkgs.pkg-config ];
          buildInputs = [ pkgs.alsa-lib ];
          # They start sound servers of their own; `make test` runs them.
          doCheck = false;
        };
      });
  };
}
