#!/usr/bin/env bash
# Makes a Python environment with pinned packages; does nothing when it is already there.
#
#   scripts/python-env.sh          .venv: what the tests compare Salle with (onnx, onnxruntime, safetensors, tensorboard,
#                                  minari, h5py, pyarrow, pandas)
#   scripts/python-env.sh torch    .venv-torch: what the benchmarks compare it with (PyTorch; some 5 GB)
#   scripts/python-env.sh sb3      .venv-sb3: what the benchmark of training compares it with (Stable-Baselines3,
#                                  Gymnasium's MuJoCo robots and PyTorch; some 3 GB)
#   scripts/python-env.sh loaders  .venv-loaders: LeRobot's and robomimic's own loaders, which the tests let read our files
#                                  (some 300 MB); it sees the packages of .venv and .venv-torch, which must be there too
#
# Without python3 or its venv module it says so and makes nothing: outside CI the tests then skip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

options=(--only-binary :all:)
seen=""
case "${1:-tests}" in
  tests)
    venv=.venv
    packages=(numpy==2.4.6 ml_dtypes==0.6.0 onnx==1.23.2 onnxruntime==1.32.0 safetensors==0.8.0 tensorboard==2.21.0
      minari==0.5.4 gymnasium==1.4.0 pillow==13.0.0 h5py==3.16.0 pyarrow==26.0.1 pandas==3.1.1)
    ;;
  torch)
    venv=.venv-torch
    packages=(numpy==2.4.6 torch==2.15.0)
    ;;
  sb3)
    venv=.venv-sb3
    packages=(numpy==2.4.6 torch==2.15.0 stable-baselines3==2.9.2 "gymnasium[mujoco]==1.4.0" mujoco==4.0.0)
    ;;
  loaders)
    # What importing the two needs and no more: most of what they name is for robots, video and training. LeRobot 0.4.4
    # can't write features of one number with NumPy 2.4. robomimic is no wheel.
    venv=.venv-loaders
    packages=(lerobot==0.4.4 robomimic==0.3.0 numpy==2.3.5 torchvision==0.29.2 datasets==4.8.5 huggingface-hub==0.35.3
      accelerate==1.15.0 av==15.1.0 dill==0.4.1 multiprocess==0.70.19 xxhash==4.1.0 psutil==7.2.2 pyyaml==6.0.4
      termcolor==3.3.0 tqdm==4.70.1 requests==2.34.2 urllib3==2.8.0 charset-normalizer==3.5.3 certifi==2026.10.19.post1
      idna==3.20 httpx==0.28.1 httpcore==1.0.9 h11==0.16.0 anyio==4.16.0)
    options=(--no-deps --only-binary :all: --no-binary robomimic)
    seen=".venv .venv-torch"
    ;;
  *)
    echo "python-env: wanted \"tests\", \"torch\", \"sb3\" or \"loaders\", got \"$1\"" >&2
    exit 2
    ;;
esac

stamp="$venv/salle-packages.txt"
if [[ -x "$venv/bin/python" && -f "$stamp" && "$(<"$stamp")" == "${packages[*]}" ]]; then
  echo "python-env: $venv is up to date (${packages[*]})"
  exit 0
fi
if ! command -v python3 >/dev/null; then
  echo "python-env: no python3 here; $venv is not made, tests that need it will skip"
  exit 0
fi
if ! python3 -c "import ensurepip, venv" 2>/dev/null; then
  echo "python-env: $(python3 --version) lacks venv (Debian: python3-venv); $venv is not made, tests that need it will skip"
  exit 0
fi

echo "python-env: making $venv with $(python3 --version): ${packages[*]}"
python3 -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${options[@]}" "${packages[@]}"
for site in "$venv"/lib/python3*/site-packages; do
  for other in $seen; do echo "../../../../$other/lib/${site#*/lib/}" >>"$site/salle-seen.pth"; done
done
echo "${packages[*]}" >"$stamp"
echo "python-env: made $venv"
