// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

/// The part of ONNX Runtime's C table that we call, by slot. The table only ever grows: a slot
/// keeps its meaning and its signature in every later release. library.cpp checks the version
/// and that no slot named here is empty before anything is called.
namespace infiniedge::model::onnx {

struct OrtEnv;
struct OrtStatus;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtMemoryInfo;
struct OrtAllocator;
struct OrtTypeInfo;
struct OrtTensorTypeAndShapeInfo;
struct OrtThreadingOptions;
struct OrtModelMetadata;
struct OrtArenaCfg;
struct OrtCudaOptions;
struct OrtTensorRtOptions;

/// Element types as the table numbers them.
enum class OrtElement : int {
  Undefined = 0,
  Fp32 = 1,
  Uint8 = 2,
  Int8 = 3,
  Uint16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Fp16 = 10,
  Fp64 = 11,
  Uint32 = 12,
  Uint64 = 13,
  Bf16 = 16
};

/// Codes of OrtStatus that decide what we tell the caller.
enum class OrtCode : int {
  Fail = 1,
  InvalidArgument = 2,
  NoSuchFile = 3,
  NoModel = 4,
  RuntimeException = 6,
  InvalidProtobuf = 7,
  NotImplemented = 9,
  InvalidGraph = 10,
  ProviderFail = 11
};

/// Severity given to the environment: fatal. Its errors come back as statuses; what it prints
/// itself would stand between our log lines, in colour.
constexpr int kLogFatal = 4;
constexpr int kOptimiseAll = 99;       ///< Graph optimisation level.
constexpr int kArenaAllocator = 1;     ///< Of CreateCpuMemoryInfo.
constexpr int kDefaultMemory = 0;      ///< Of CreateCpuMemoryInfo.
constexpr std::uint32_t kOldest = 16;  ///< API version below which we do not go.
constexpr std::size_t kSlots = 266;    ///< We read the table no further; true since version 16.

/// What OrtGetApiBase() returns.
struct OrtApiBase {
  const void* const* (*get_api)(std::uint32_t version);
  const char* (*get_version_string)();
};

template <std::size_t Index, class Signature>
struct Slot;

/// A position of the table and the type of what stands there.
template <std::size_t Index, class R, class... Args>
struct Slot<Index, R(Args...)> {
  static constexpr std::size_t kIndex = Index;
  using Pointer = R (*)(Args...);
};

using GetErrorCode = Slot<1, int(const OrtStatus*)>;
using GetErrorMessage = Slot<2, const char*(const OrtStatus*)>;
using CreateSession =
    Slot<7, OrtStatus*(const OrtEnv*, const char* path, const OrtSessionOptions*, OrtSession**)>;
using RunSession = Slot<9, OrtStatus*(OrtSession*, const OrtRunOptions*, const char* const* names,
                                      const OrtValue* const* inputs, std::size_t count,
                                      const char* const* output_names, std::size_t output_count,
                                      OrtValue** outputs)>;
using CreateSessionOptions = Slot<10, OrtStatus*(OrtSessionOptions**)>;
using SetSessionExecutionMode = Slot<13, OrtStatus*(OrtSessionOptions*, int mode)>;
using DisableMemPattern = Slot<17, OrtStatus*(OrtSessionOptions*)>;
using DisableCpuMemArena = Slot<19, OrtStatus*(OrtSessionOptions*)>;
using SetGraphOptimizationLevel = Slot<23, OrtStatus*(OrtSessionOptions*, int level)>;
using SetIntraOpNumThreads = Slot<24, OrtStatus*(OrtSessionOptions*, int threads)>;
using SessionGetInputCount = Slot<30, OrtStatus*(const OrtSession*, std::size_t*)>;
using SessionGetOutputCount = Slot<31, OrtStatus*(const OrtSession*, std::size_t*)>;
using SessionGetInputTypeInfo = Slot<33, OrtStatus*(const OrtSession*, std::size_t, OrtTypeInfo**)>;
using SessionGetOutputTypeInfo =
    Slot<34, OrtStatus*(const OrtSession*, std::size_t, OrtTypeInfo**)>;
using SessionGetInputName =
    Slot<36, OrtStatus*(const OrtSession*, std::size_t, OrtAllocator*, char**)>;
using SessionGetOutputName =
    Slot<37, OrtStatus*(const OrtSession*, std::size_t, OrtAllocator*, char**)>;
using CreateRunOptions = Slot<39, OrtStatus*(OrtRunOptions**)>;
using RunOptionsSetTerminate = Slot<46, OrtStatus*(OrtRunOptions*)>;
using RunOptionsUnsetTerminate = Slot<47, OrtStatus*(OrtRunOptions*)>;
using CreateTensorAsOrtValue = Slot<48, OrtStatus*(OrtAllocator*, const std::int64_t* dims,
                                                   std::size_t rank, int type, OrtValue**)>;
using CreateTensorWithDataAsOrtValue =
    Slot<49, OrtStatus*(const OrtMemoryInfo*, void* data, std::size_t bytes,
                        const std::int64_t* dims, std::size_t rank, int type, OrtValue**)>;
using GetTensorMutableData = Slot<51, OrtStatus*(OrtValue*, void**)>;
using GetResizedStringTensorElementBuffer =
    Slot<252, OrtStatus*(OrtValue*, std::size_t index, std::size_t bytes, char**)>;
using GetStringTensorDataLength = Slot<53, OrtStatus*(const OrtValue*, std::size_t*)>;
using GetStringTensorContent = Slot<54, OrtStatus*(const OrtValue*, void* out, std::size_t bytes,
                                                   std::size_t* offsets, std::size_t count)>;
using CastTypeInfoToTensorInfo =
    Slot<55, OrtStatus*(const OrtTypeInfo*, const OrtTensorTypeAndShapeInfo**)>;
using GetTensorElementType = Slot<60, OrtStatus*(const OrtTensorTypeAndShapeInfo*, int*)>;
using GetDimensionsCount = Slot<61, OrtStatus*(const OrtTensorTypeAndShapeInfo*, std::size_t*)>;
using GetDimensions =
    Slot<62, OrtStatus*(const OrtTensorTypeAndShapeInfo*, std::int64_t*, std::size_t)>;
using GetSymbolicDimensions =
    Slot<63, OrtStatus*(const OrtTensorTypeAndShapeInfo*, const char** names, std::size_t)>;
using GetTensorTypeAndShape = Slot<65, OrtStatus*(const OrtValue*, OrtTensorTypeAndShapeInfo**)>;
using CreateCpuMemoryInfo = Slot<69, OrtStatus*(int allocator, int memory, OrtMemoryInfo**)>;
using AllocatorFree = Slot<76, OrtStatus*(OrtAllocator*, void*)>;
using GetAllocatorWithDefaultOptions = Slot<78, OrtStatus*(OrtAllocator**)>;
using ReleaseEnv = Slot<92, void(OrtEnv*)>;
using ReleaseStatus = Slot<93, void(OrtStatus*)>;
using ReleaseMemoryInfo = Slot<94, void(OrtMemoryInfo*)>;
using ReleaseSession = Slot<95, void(OrtSession*)>;
using ReleaseValue = Slot<96, void(OrtValue*)>;
using ReleaseRunOptions = Slot<97, void(OrtRunOptions*)>;
using ReleaseTypeInfo = Slot<98, void(OrtTypeInfo*)>;
using ReleaseTensorInfo = Slot<99, void(OrtTensorTypeAndShapeInfo*)>;
using ReleaseSessionOptions = Slot<100, void(OrtSessionOptions*)>;
using CreateEnvWithGlobalThreadPools =
    Slot<119, OrtStatus*(int level, const char* id, const OrtThreadingOptions*, OrtEnv**)>;
using DisablePerSessionThreads = Slot<120, OrtStatus*(OrtSessionOptions*)>;
using CreateThreadingOptions = Slot<121, OrtStatus*(OrtThreadingOptions**)>;
using ReleaseThreadingOptions = Slot<122, void(OrtThreadingOptions*)>;
using AddFreeDimensionOverrideByName =
    Slot<124, OrtStatus*(OrtSessionOptions*, const char* name, std::int64_t)>;
using AddSessionConfigEntry =
    Slot<130, OrtStatus*(OrtSessionOptions*, const char* key, const char* value)>;
using CreateAndRegisterAllocator =
    Slot<144, OrtStatus*(OrtEnv*, const OrtMemoryInfo*, const OrtArenaCfg*)>;
using SetGlobalIntraOpNumThreads = Slot<147, OrtStatus*(OrtThreadingOptions*, int)>;
using SetGlobalInterOpNumThreads = Slot<148, OrtStatus*(OrtThreadingOptions*, int)>;
using SetGlobalSpinControl = Slot<149, OrtStatus*(OrtThreadingOptions*, int)>;
using AddRunConfigEntry = Slot<165, OrtStatus*(OrtRunOptions*, const char* key, const char* value)>;
using AppendTensorRt = Slot<170, OrtStatus*(OrtSessionOptions*, const OrtTensorRtOptions*)>;
using CreateTensorRtOptions = Slot<171, OrtStatus*(OrtTensorRtOptions**)>;
using UpdateTensorRtOptions = Slot<172, OrtStatus*(OrtTensorRtOptions*, const char* const* keys,
                                                   const char* const* values, std::size_t)>;
using ReleaseTensorRtOptions = Slot<174, void(OrtTensorRtOptions*)>;
/// Starts a thread that calls work(parameter); what it returns is handed to the join function.
using CreateThreadFunction = void* (*)(void* options, void (*work)(void*), void* parameter);
using SetGlobalCreateThread = Slot<199, OrtStatus*(OrtThreadingOptions*, CreateThreadFunction)>;
using SetGlobalThreadOptions = Slot<200, OrtStatus*(OrtThreadingOptions*, void*)>;
using SetGlobalJoinThread = Slot<201, OrtStatus*(OrtThreadingOptions*, void (*)(const void*))>;
using AppendCuda = Slot<204, OrtStatus*(OrtSessionOptions*, const OrtCudaOptions*)>;
using CreateCudaOptions = Slot<205, OrtStatus*(OrtCudaOptions**)>;
using UpdateCudaOptions = Slot<206, OrtStatus*(OrtCudaOptions*, const char* const* keys,
                                               const char* const* values, std::size_t)>;
using ReleaseCudaOptions = Slot<208, void(OrtCudaOptions*)>;
using AppendProvider =
    Slot<216, OrtStatus*(OrtSessionOptions*, const char* name, const char* const* keys,
                         const char* const* values, std::size_t)>;

/// Every slot above, for the check at load.
constexpr std::size_t kUsed[] = {
    1,   2,   7,   9,   10,  13,  17,  19,  23,  24,  30,  31,  33,  34,  36,  37,  39,
    46,  47,  48,  49,  51,  52,  53,  54,  55,  60,  61,  62,  63,  65,  69,  76,  78,
    92,  93,  94,  95,  96,  97,  98,  99,  100, 119, 120, 121, 122, 124, 130, 144, 147,
    148, 149, 165, 170, 171, 172, 174, 199, 200, 201, 204, 205, 206, 208, 216};

}  // namespace infiniedge::model::onnx
